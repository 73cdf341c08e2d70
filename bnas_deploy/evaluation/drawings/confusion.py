"""The confusion matrix as a picture: a row for each true class, a column for each named one."""

from __future__ import annotations

from bnas_deploy.evaluation.drawings import svg
from bnas_deploy.evaluation.measures import Measures

__all__ = ["MOST_CLASSES", "confusion"]

MOST_CLASSES = 50
"""With more, the cells are too small to see anything."""

NUMBERS_UP_TO = 20
"""Classes up to which the numbers fit into the cells."""

RIGHT, WRONG = "#2a78b8", "#c8442e"
LONGEST = 18


def confusion(measures: Measures) -> str:
    """Return an SVG; a cell is as strong as its share of the row."""
    size = len(measures.classes)
    cell = 34 if size <= NUMBERS_UP_TO else 12
    labels = [_short(one.label) for one in measures.classes]
    edge = 40 + 7 * max(map(len, labels))
    shapes = []
    for row, counts in enumerate(measures.confusion):
        y = edge + row * cell
        shapes.append(svg.text(edge - 6, y + cell / 2 + 4, labels[row], anchor="end", size=11))
        x = edge + row * cell + cell / 2 + 4
        shapes.append(svg.text(x, edge - 6, labels[row], anchor="start", size=11, turned=True))
        for column, count in enumerate(counts):
            shapes += _cell(measures, row, column, int(count), (edge, cell))
    shapes.append(svg.text(14, edge + size * cell / 2, "true class", turned=True))
    shapes.append(svg.text(edge + size * cell / 2, 14, "named class"))
    whole = edge + size * cell + 10
    return svg.drawing(whole, whole, "confusion matrix", shapes)


def _cell(
    measures: Measures, row: int, column: int, count: int, place: tuple[int, int]
) -> list[str]:
    edge, cell = place
    truth, named = measures.classes[row], measures.classes[column]
    share = count / truth.pictures if truth.pictures else 0.0
    x, y = edge + column * cell, edge + row * cell
    tip = f"{truth.label} named {named.label}: {count} of {truth.pictures}"
    fill = RIGHT if row == column else WRONG
    # Few confusions must be seen beside many right answers, so the strength is the square root.
    strength = 0.04 + 0.86 * share**0.5
    shapes = [svg.rectangle(x, y, cell - 1, cell - 1, fill, opacity=strength, tip=tip)]
    if count and len(measures.classes) <= NUMBERS_UP_TO:
        shapes.append(svg.text(x + cell / 2, y + cell / 2 + 4, str(count), size=10))
    return shapes


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
