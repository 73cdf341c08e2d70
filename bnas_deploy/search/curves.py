"""Draws the curves of a search with matplotlib.

Colours are those of Okabe and Ito, told apart by colour-blind readers too; line styles differ.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from bnas_deploy import atomic
from bnas_deploy.search.loop import Row

__all__ = ["draw_curves"]

_BLUE, _ORANGE, _GREEN, _RED, _GREY = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#555555")
_SHARE_STYLES = ("-", "--", "-.", ":")


def draw_curves(history: Sequence[Row], primitives: int, path: str | os.PathLike[str]) -> None:
    """Draw loss, accuracy, entropy and the shares of the layers chosen over the epochs, as PNG.

    Args:
        history: Rows of the metrics, one an epoch; at least one.
        primitives: Number of primitives of the space: the largest entropy is its logarithm.
        path: The picture.
    """
    # Optional, and slow to import.
    from matplotlib.axes import Axes  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    epochs = [row["epoch"] for row in history]

    def line(axes: Axes, column: str, label: str, colour: str, style: str = "-") -> None:
        values = [row.get(column, math.nan) for row in history]
        marker = "o" if len(epochs) < 30 else None
        axes.plot(epochs, values, style, color=colour, label=label, marker=marker, markersize=3)

    loss, accuracy, entropy, share = figure.subplots(2, 2).flat
    for axes, column in ((loss, "loss"), (accuracy, "accuracy")):
        line(axes, f"train_{column}", "weights' half", _BLUE)
        line(axes, f"search_{column}", "architecture's half", _ORANGE, "--")
    line(entropy, "entropy_normal", "normal cell", _BLUE)
    line(entropy, "entropy_reduce", "reduction cell", _ORANGE, "--")
    entropy.axhline(math.log(primitives), color=_GREY, linewidth=0.8, label="uniform")
    entropy.ticklabel_format(useOffset=False)
    weight = entropy.twinx()
    line(weight, "diversity_weight", "λ exp(−t/τ)", _RED, ":")
    weight.tick_params(axis="y", colors=_RED)
    weight.set_ylabel("λ exp(−t/τ)", color=_RED, fontsize=8)
    for index, gamma in enumerate(_gammas(history)):
        style = _SHARE_STYLES[index % len(_SHARE_STYLES)]
        line(share, f"learnable_gamma_{gamma}", f"learnable, γ = {gamma}", _GREEN, style)
        line(share, f"zeroise_gamma_{gamma}", f"Zeroise, γ = {gamma}", _GREY, style)
    titles = (
        (loss, "cross-entropy"),
        (accuracy, "accuracy"),
        (entropy, "mean entropy per edge (nats)"),
        (share, "share of the edges chosen"),
    )
    for axes, title in titles:
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    for axes in (accuracy, share):
        axes.set_ylim(-0.03, 1.03)
    with atomic.replacing(path) as file:
        figure.savefig(file, dpi=120, format="png")


def _gammas(history: Sequence[Row]) -> list[str]:
    prefix = "learnable_gamma_"
    names = dict.fromkeys(name for row in history for name in row if name.startswith(prefix))
    return [name[len(prefix) :] for name in names]
