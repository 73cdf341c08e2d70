"""Draws results as SVG with matplotlib.

Colours are those of Okabe and Ito, told apart by colour-blind readers too; line styles differ as
well.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bnas_deploy.experiments.definition import Picture, Variant
from bnas_deploy.experiments.page.shortcuts_plot import draw_shortcuts
from bnas_deploy.experiments.page.svg import COLOURS, write_svg
from bnas_deploy.experiments.results import JobResult, Results

__all__ = ["PLOTS", "draw"]

LINES = ("-", "--", "-.", ":")

Shown = Sequence[Variant]


def draw(picture: Picture, results: Results, variants: Shown, folder: Path) -> str | None:
    """Draw a picture and return its file's name; None if the results hold nothing of it.

    Args:
        picture: What.
        results: Of the experiment.
        variants: Its variants under the budget of the results.
        folder: Gets the SVG.
    """
    chosen = [v for v in variants if not picture.variants or v.name in picture.variants]
    file = f"{picture.name}-{results.budget}.svg"
    drawn = write_svg(folder / file, lambda: PLOTS[picture.kind](results, chosen))
    return file if drawn else None


def _panels(count: int, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(4.2 * count, height), layout="constrained")
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _legend(figure: Figure, axis: Axes) -> None:
    keys = axis.get_legend_handles_labels()
    figure.legend(*keys, ncols=3, frameon=False, fontsize=8, loc="outside lower center")


def _mean_by(jobs: Sequence[JobResult], name: str) -> tuple[list[int], list[float]]:
    """Epochs, and the mean over the seeds of a share of their histories in percent."""
    found: dict[int, list[float]] = {}
    for job in jobs:
        for row in job.history:
            if name in row:
                found.setdefault(int(row["epoch"]), []).append(100 * row[name])
    epochs = sorted(found)
    return epochs, [statistics.fmean(found[epoch]) for epoch in epochs]


def _curves(results: Results, variants: Shown) -> Figure | None:
    """Training and test accuracy by epoch."""
    if not any(job.history for v in variants for job in results.of(v.name)):
        return None
    figure, axes = _panels(2)
    for axis, name in zip(axes, ("train_accuracy", "test_accuracy"), strict=True):
        for i, variant in enumerate(variants):
            epochs, shares = _mean_by(results.of(variant.name), name)
            if epochs:
                style = LINES[i % len(LINES)]
                axis.plot(epochs, shares, style, marker=".", color=COLOURS[i % len(COLOURS)],
                          label=variant.label)  # fmt: skip
        axis.set(xlabel="epoch", ylabel=f"{name.replace('_', ' ')}, %")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(figure, axes[0])
    return figure


def _with_gradients(results: Results, variants: Shown, key: str) -> dict[str, list[list[float]]]:
    """For each variant's label, what its jobs recorded."""
    found = {
        v.label: [list(job.gradients[key]) for job in results.of(v.name) if job.gradients]
        for v in variants
    }
    return {label: values for label, values in found.items() if values}


def _gradient_layers(results: Results, variants: Shown) -> Figure | None:
    """Magnitude of each convolution's gradients, a panel a variant, a line a seed."""
    found = _with_gradients(results, variants, "layers")
    if not found:
        return None
    figure, axes = _panels(len(found), 2.8)
    for axis, (i, (label, seeds)) in zip(axes, enumerate(found.items()), strict=True):
        for layers in seeds:
            # What nobody reads has no gradient, and no place on a logarithmic axis.
            places = [place for place, size in enumerate(layers) if size > 0]
            sizes = [layers[place] for place in places]
            axis.plot(places, sizes, color=COLOURS[i], linewidth=1, alpha=0.8)
        axis.set(title=label, xlabel="convolution, from image to answer", yscale="log")
    axes[0].set_ylabel("sum of |gradient|")
    low = min(axis.get_ylim()[0] for axis in axes)
    high = max(axis.get_ylim()[1] for axis in axes)
    for axis in axes:
        axis.set_ylim(low, high)
    return figure


def _gradient_epochs(results: Results, variants: Shown) -> Figure | None:
    """Sum over all convolutions by epoch, a line a seed."""
    found = _with_gradients(results, variants, "epochs")
    if not found:
        return None
    figure, (axis,) = _panels(1)
    for i, (label, seeds) in enumerate(found.items()):
        for j, sums in enumerate(seeds):
            axis.plot(range(1, len(sums) + 1), sums, LINES[i % len(LINES)], marker=".",
                      color=COLOURS[i], label=label if j == 0 else None)  # fmt: skip
    axis.set(xlabel="epoch", ylabel="sum of |gradient|, all convolutions", yscale="log")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(figure, axis)
    return figure


def _bars(results: Results, variants: Shown) -> Figure | None:
    """Test accuracy of each variant, the paper's value as a cross."""
    rows = [(v, results.values(v.name, "test_accuracy")) for v in variants]
    rows = [(variant, values) for variant, values in rows if values]
    if not rows:
        return None
    figure = Figure(figsize=(7, 0.9 + 0.24 * len(rows)), layout="constrained")
    axis = figure.subplots()
    axis.spines[["top", "right"]].set_visible(False)
    labels = [variant.label for variant, _ in rows]
    axis.barh(labels, [100 * statistics.fmean(values) for _, values in rows], color=COLOURS[0])
    papers = [(v.label, float(v.paper["test_accuracy"])) for v, _ in rows if v.paper]
    axis.plot([value for _, value in papers], [label for label, _ in papers], "x", color=COLOURS[1])
    axis.set(xlabel="test accuracy, %")
    axis.invert_yaxis()
    return figure


PLOTS: dict[str, Callable[[Results, Shown], Figure | None]] = {
    "bars": _bars,
    "curves": _curves,
    "gradient_epochs": _gradient_epochs,
    "gradient_layers": _gradient_layers,
    "shortcuts": draw_shortcuts,
}
"""Kinds of pictures: each draws some variants of the results, or gives None."""
