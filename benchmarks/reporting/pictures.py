"""The report's pictures: speed-up, memory, roofline of the layers.

Colours are those of Okabe and Ito, told apart by colour-blind readers too; shapes differ as well.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.layers import GROUPS, Layer, layers
from reporting.results import Result, Run, name, select
from reporting.tables import RIVALS, rivals_of

__all__ = ["PAPER_SAVING", "PAPER_SPEEDUP", "draw"]

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"),
)
GREY = "#555555"
RIVAL_COLOURS = dict(zip(RIVALS, (RED, BLUE, SKY, GREEN, PURPLE, ORANGE), strict=True))
PAPER_SPEEDUP = {True: 149.14, False: 58.01}
"""Table 10 of the paper: BNAS-A with and without Zeroise over float A without."""
PAPER_SAVING = 91.06
"""Table 10 of the paper: memory of float A without Zeroise over that of BNAS-A."""
LAYER_STYLES = dict(
    zip(GROUPS, ((BLUE, "o"), (SKY, "D"), (ORANGE, "s"), (GREEN, "^")), strict=True)
)
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "bnas", "font.size": 9}


def draw(run: Run, folder: Path, form: str = "svg") -> list[str]:
    """Draw what the run has the results for and return the names of the files.

    Args:
        run: The results.
        folder: Where the pictures go.
        form: "svg" or "png".
    """
    drawn = []
    with mpl.rc_context(STYLE):
        for title, make in PICTURES.items():
            figure = make(run)
            if figure is not None:
                file = f"{title}.{form}"
                metadata = {"Date": None} if form == "svg" else None
                figure.savefig(folder / file, dpi=150, metadata=metadata)
                drawn.append(file)
    return drawn


def _best(run: Run, *, zeroise: bool) -> list[Result]:
    """The variants of A, each by its fastest runner."""
    wanted = {"kind": "network", "network": "A", "zeroise": zeroise, "own": True}
    best: dict[str, Result] = {}
    for result in sorted(select(run.results, wanted), key=lambda r: -r.median):
        best[name(result.facts)] = result
    return list(best.values())


def _speedup(run: Run) -> Figure | None:
    """Bars of packed A over each rival on float A without Zeroise; a panel with, one without."""
    rivals = rivals_of(run, "A", zeroise=False)
    panels = {zeroise: _best(run, zeroise=zeroise) for zeroise in (True, False)}
    panels = {zeroise: own for zeroise, own in panels.items() if own}
    if not rivals or not panels:
        return None
    heights = [len(own) for own in panels.values()]
    figure = Figure(figsize=(8, 1.4 + 1.2 * sum(heights)), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis, (zeroise, own) in zip(axes, panels.items(), strict=True):
        _speedup_panel(axis, own, rivals, PAPER_SPEEDUP[zeroise])
    axes[0].set_title(f"Times faster than float BNAS-A w/o Zeroise, one thread\n{run.cpu}")
    keys = axes[0].get_legend_handles_labels()
    figure.legend(*keys, ncols=3, fontsize=8, frameon=False, loc="outside lower center")
    return figure


def _speedup_panel(axis: Axes, own: list[Result], rivals: dict[str, Result], paper: float) -> None:
    width = 0.84 / len(rivals)
    for i, (rival, slow) in enumerate(rivals.items()):
        places = [row + (i - (len(rivals) - 1) / 2) * width for row in range(len(own))]
        ratios = [slow.median / fast.median for fast in own]
        bars = axis.barh(places, ratios, width, color=RIVAL_COLOURS[rival], label=RIVALS[rival])
        axis.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
    axis.axvline(paper, color=GREY, linestyle="--", linewidth=1)
    axis.text(paper, 1.0, f"theory (paper) {paper}× ", color=GREY, fontsize=8, ha="right", va="top",
              transform=axis.get_xaxis_transform())  # fmt: skip
    axis.set_yticks(range(len(own)), [name(r.facts).replace(", ", "\n") for r in own])
    axis.invert_yaxis()
    axis.set_xlim(0, max(PAPER_SPEEDUP.values()) * 1.05)
    axis.spines[["top", "right"]].set_visible(False)


def _memory(run: Run) -> Figure | None:
    """Bars of megabytes: float parameters, then the packed files."""
    found = select(run.results, {"kind": "start", "network": "A"})
    if not found:
        return None
    floats = {
        f"float {name({**r.facts, 'eight_bit': False})}": r.facts["float_bytes"]
        for r in found
        if r.facts["shortcut"] == "conv"
    }
    packed = {name(r.facts): r.facts["file_bytes"] for r in found if r.facts["zeroise"]}
    base, sizes = found[0].facts["over_bytes"] / 1e6, {**floats, **packed}
    figure = Figure(figsize=(8, 1.2 + 0.36 * len(sizes)), layout="constrained")
    axis = figure.subplots()
    colours = [ORANGE] * len(floats) + [BLUE] * len(packed)
    bars = axis.barh(list(sizes), [size / 1e6 for size in sizes.values()], color=colours)
    labels = [f"{s / 1e6:.2f} MB ({base * 1e6 / s:.1f}×)" for s in sizes.values()]
    axis.bar_label(bars, labels, padding=3, fontsize=8)
    axis.axvline(base / PAPER_SAVING, color=GREY, linestyle="--", linewidth=1)
    axis.text(base / PAPER_SAVING, 1.0, f" paper's accounting {PAPER_SAVING}×", color=GREY,
              fontsize=8, va="bottom", transform=axis.get_xaxis_transform())  # fmt: skip
    axis.set(xscale="log", xlim=(base / PAPER_SAVING / 1.5, base * 6), xlabel="megabytes")
    axis.set_title("BNAS-A: float parameters and .bnn files", pad=16)
    axis.invert_yaxis()
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def _roofline(run: Run) -> Figure | None:
    """Each layer's rate against operations per byte, below the popcount limit."""
    found = layers(run)
    if not found:
        return None
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axis = figure.subplots()
    for group, (colour, marker) in LAYER_STYLES.items():
        points = [(_intensity(x), x.rate("floats") / 1e9) for x in found if x.group == group]
        if points:
            xs, ys = zip(*points, strict=True)
            axis.scatter(xs, ys, s=24, c=colour, marker=marker, alpha=0.8,
                         label=f"{group} channels" if group != "1x1" else group)  # fmt: skip
    limit = sorted(layer.facts["limit"] for layer in found)[len(found) // 2] / 1e9
    for share, text in ((1.0, "xor + popcount + add limit"), (0.85, "85%"), (0.65, "65%")):
        axis.axhline(limit * share, color=GREY, linestyle="-" if share == 1 else ":", linewidth=1)
        axis.text(1.0, limit * share, f"{text} ", transform=axis.get_yaxis_transform(), ha="right",
                  va="bottom", color=GREY, fontsize=8)  # fmt: skip
    axis.set(xscale="log", ylim=(0, limit * 1.12), ylabel="G binary multiply-accumulates a second")
    axis.set_xticks(ticks := [100, 200, 500, 1000, 2000, 5000], [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.set_xlim(100, 5000)
    axis.set_xlabel("binary multiply-accumulates per byte (packed input, weights, packed output)")
    axis.set_title(f"Binary convolutions to floats, one thread, {found[0].facts['isa']}\n{run.cpu}")
    axis.legend(frameon=False, loc="lower right")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def _intensity(layer: Layer) -> float:
    return float(layer.facts["macs"] / layer.facts["moved_bytes"])


PICTURES: dict[str, Callable[[Run], Figure | None]] = {
    "speedup": _speedup,
    "memory": _memory,
    "roofline": _roofline,
}
