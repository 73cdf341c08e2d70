"""Draws both cells in the manner of the paper's Figs. 6 to 8, with matplotlib.

States stand in a row, edges are arcs from source to target: a node's first edge above the row, its
second below. Zeroise edges are faint, skip connections red, edges from c_(k-2) dotted.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bnas_deploy import atomic
from bnas_deploy.nn.genotype import EDGES_PER_NODE, INPUT_STATES, NODES, Edge, Genotype
from bnas_deploy.search.space import ZEROISE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Arc", "arcs", "draw_cells"]

_SKIP, _FAINT, _INK = "#D62728", "#BBBBBB", "#333333"
_COLOURS = {"dil": "#56B4E9", "sep": "#CC79A7", "conv": "#0072B2", "pool": "#009E73"}
_OUTPUT = INPUT_STATES + NODES
_RISE, _SKIP_RISE = 0.24, 0.33
"""Height of an arc over its length; a skip goes below every edge."""


@dataclass(frozen=True)
class Arc:
    """One edge as it is drawn.

    Attributes:
        source: State it comes from.
        target: State it goes to.
        label: What stands on it.
        colour: Of line and label.
        style: Of the line, in matplotlib's signs.
        above: On which side of the row.
    """

    source: int
    target: int
    label: str
    colour: str
    style: str
    above: bool


def arcs(edges: tuple[Edge, ...]) -> list[Arc]:
    """Return how the eight edges of a cell are drawn."""
    return [
        Arc(
            source=source,
            target=INPUT_STATES + j // EDGES_PER_NODE,
            label=_label(name),
            colour=_colour(name),
            style=":" if source == 0 else "-",
            above=j % EDGES_PER_NODE == 0,
        )
        for j, (name, source) in enumerate(edges)
    ]


def draw_cells(
    genotype: Genotype, path: str | os.PathLike[str], *, title: str = "", skip: bool = True
) -> None:
    """Draw the normal and the reduction cell, as PNG.

    Args:
        genotype: The cells.
        path: The picture.
        title: Stands above them.
        skip: Whether they have inter-cell skip connections.
    """
    # Optional, and slow to import.
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(12, 8), layout="constrained")
    if title:
        figure.suptitle(title)
    panels = figure.subplots(2, 1)
    _draw_cell(panels[0], genotype.normal, "normal cell")
    _draw_cell(panels[1], genotype.reduce, "reduction cell (stride 2 from the inputs)")
    if skip:
        _draw_arc(panels[0], _skip_arc("skip: identity"), rise=_SKIP_RISE)
        _draw_arc(panels[1], _skip_arc("skip: ↓2"), rise=_SKIP_RISE)
    with atomic.replacing(path) as file:
        figure.savefig(file, dpi=110, format="png")


def _skip_arc(label: str) -> Arc:
    return Arc(1, _OUTPUT, label, _SKIP, "-", above=False)


def _draw_cell(axes: Axes, edges: tuple[Edge, ...], title: str) -> None:
    # One bracket around the nodes stands for the four edges of the concatenation.
    first, last = INPUT_STATES - 0.3, _OUTPUT - 0.7
    axes.fill_between([first, last], -0.28, 0.28, color="#EEEEEE", zorder=0)
    axes.annotate(
        "", (_OUTPUT - 0.32, 0), (last, 0), arrowprops={"arrowstyle": "->", "color": _INK}
    )
    for arc in arcs(edges):
        _draw_arc(axes, arc)
    names = ["c_(k-2)", "c_(k-1)", *(str(node) for node in range(NODES)), "c_(k)"]
    for x, name in enumerate(names):
        inner = INPUT_STATES <= x < _OUTPUT
        colour = "#CFE8F7" if inner else "#D9EAD3"
        box = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": _INK}
        axes.text(x, 0, name, ha="center", va="center", bbox=box, zorder=4)
    axes.set_title(title, fontsize=11)
    axes.set_xlim(-0.6, _OUTPUT + 0.6)
    axes.set_ylim(-1.95, 1.45)
    axes.axis("off")


def _draw_arc(axes: Axes, arc: Arc, rise: float = _RISE) -> None:
    height = (1 if arc.above else -1) * rise * (arc.target - arc.source)
    # A quadratic curve is as high in the middle as half its control point.
    end = 0.17 if arc.above else -0.17
    middle = (arc.source + arc.target) / 2
    from matplotlib.patches import FancyArrowPatch  # noqa: PLC0415 - as above
    from matplotlib.path import Path  # noqa: PLC0415 - as above

    points = [(arc.source, end), (middle, 2 * height), (arc.target - 0.06, end)]
    curve = Path(points, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    axes.add_patch(
        FancyArrowPatch(
            path=curve,
            arrowstyle="-|>",
            mutation_scale=11,
            color=arc.colour,
            linestyle=arc.style,
            linewidth=1.0 if arc.colour == _FAINT else 1.8,
            zorder=2 if arc.colour == _FAINT else 3,
        )
    )
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    axes.text(
        *(middle, height + end / 2, arc.label),
        ha="center",
        va="center",
        color=arc.colour,
        fontsize=9,
        bbox=box,
        zorder=5,
    )


def _label(name: str) -> str:
    if name == ZEROISE:
        return "Zeroise"
    words = [word for word in name.split("_") if word != "bin"]
    return " ".join(words).replace("x", "×") if "max" not in words else "max pool 3×3"


def _colour(name: str) -> str:
    if name == ZEROISE:
        return _FAINT
    return next((colour for key, colour in _COLOURS.items() if key in name), _INK)
