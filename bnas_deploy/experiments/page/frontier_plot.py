"""Draws accuracy against time or bytes: binary networks, and what people deploy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bnas_deploy.experiments.page.labels import put_labels

__all__ = ["FAMILIES", "Dot", "draw_frontier"]

FAMILIES: Mapping[str, tuple[str, str, bool]] = {
    "BNAS, 8 bits": ("#0072B2", "o", True),
    "other binary networks, 8 bits": ("#009E73", "^", True),
    "float networks, int8": ("#D55E00", "s", True),
    "float networks, float32": ("#999999", "s", False),
}
"""Colour, marker, and whether it is filled."""


@dataclass(frozen=True)
class Dot:
    """One network.

    Attributes:
        label: Beside it.
        family: One of `FAMILIES`.
        x: Milliseconds or megabytes.
        accuracy: In percent.
    """

    label: str
    family: str
    x: float
    accuracy: float


def draw_frontier(panels: Mapping[str, Sequence[Dot]], xlabel: str) -> Figure | None:
    """Draw a panel for each title; None if there are no points."""
    shown = {title: dots for title, dots in panels.items() if dots}
    if not shown:
        return None
    figure = Figure(figsize=(5.2 * len(shown), 4.4), layout="constrained")
    axes = list(figure.subplots(1, len(shown), squeeze=False, sharey=True)[0])
    for axis, (title, dots) in zip(axes, shown.items(), strict=True):
        _panel(axis, dots)
        axis.set(title=title, xlabel=xlabel)
    axes[0].set_ylabel("test accuracy, %")
    keys: dict[str, Artist] = {}
    for axis in axes:
        handles, names = axis.get_legend_handles_labels()
        keys |= dict(zip(names, handles, strict=True))
    figure.legend(
        list(keys.values()), list(keys), ncols=2 * min(len(shown), 2), frameon=False, fontsize=8,
        loc="outside lower center",
    )  # fmt: skip
    figure.draw_without_rendering()  # the layout gives each panel its size
    for axis, dots in zip(axes, shown.values(), strict=True):
        put_labels(axis, [_named(dot) for dot in dots if FAMILIES[dot.family][2]])
    return figure


def _named(dot: Dot) -> tuple[str, float, float, str]:
    return dot.label, dot.x, dot.accuracy, FAMILIES[dot.family][0]


def _panel(axis: Axes, dots: Sequence[Dot]) -> None:
    for family, (colour, marker, filled) in FAMILIES.items():
        own = [dot for dot in dots if dot.family == family]
        if not own:
            continue
        axis.plot(
            [dot.x for dot in own], [dot.accuracy for dot in own], marker, color=colour,
            fillstyle="full" if filled else "none", markersize=5, label=family,
        )  # fmt: skip
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(x=0.15, y=0.08)
    axis.grid(alpha=0.25, linewidth=0.5)
    axis.spines[["top", "right"]].set_visible(False)
