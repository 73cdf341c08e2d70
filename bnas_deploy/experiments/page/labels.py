"""Puts names beside the points of a picture where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

__all__ = ["put_labels"]

SIZE = 6
WIDTH, HEIGHT, GAP = 0.6 * SIZE, 1.2 * SIZE, 4.0
"""Of a letter, of a line, and between point and name; in typographic points."""

Box = tuple[float, float, float, float]


def put_labels(axis: Axes, labels: Sequence[tuple[str, float, float, str]]) -> None:
    """Write a name beside each point: right, left, above or below, where there is room.

    Args:
        axis: With its limits and its size as they will be.
        labels: Name, x and y (data), and colour of each.
    """
    per_point = axis.figure.get_dpi() / 72
    places = [
        tuple(v / per_point for v in axis.transData.transform((x, y))) for _, x, y, _ in labels
    ]
    taken: list[Box] = [(x - GAP, y - GAP, x + GAP, y + GAP) for x, y in places]
    left, bottom, right, top = (v / per_point for v in axis.bbox.extents)
    frame = left, bottom, right, top

    def cost(found: tuple[tuple[float, float], Box]) -> float:
        hidden = sum(_overlap(found[1], other) for other in taken)
        return hidden + _area(found[1]) - _overlap(found[1], frame)

    for (text, x, y, colour), (px, py) in zip(labels, places, strict=True):
        found = ((o, _box(text, px + o[0], py + o[1])) for o in _offsets(text))
        offset, box = min(found, key=cost)
        taken.append(box)
        axis.annotate(
            text, (x, y), xytext=offset, textcoords="offset points", fontsize=SIZE, color=colour,
            annotation_clip=False,
        )  # fmt: skip


def _offsets(text: str) -> list[tuple[float, float]]:
    """Where the lower left corner of a name may lie, seen from its point; the best first."""
    width = WIDTH * len(text)
    sides = [(GAP, -HEIGHT / 3), (-GAP - width, -HEIGHT / 3)]
    rows = [(-width / 2, GAP), (-width / 2, -GAP - HEIGHT)]
    return [*sides, *rows, (GAP, GAP), (GAP, -HEIGHT), (-width, GAP), (-width, -HEIGHT)]


def _box(text: str, x: float, y: float) -> Box:
    return x, y, x + WIDTH * len(text), y + HEIGHT


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlap(one: Box, other: Box) -> float:
    """Area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
