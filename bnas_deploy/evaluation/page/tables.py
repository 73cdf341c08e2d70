"""The tables of the page: classes, and which of them are most often taken for which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from bnas_deploy.evaluation.measures import Measures, interval
from bnas_deploy.shown import safe

__all__ = ["class_table", "confused_table", "percent", "plain"]

CONFUSED = 15
"""Pairs of classes in the table of confusions."""


def class_table(measures: Measures) -> str:
    """Return a row for each class, the worst first."""
    ranked = sorted(measures.classes, key=lambda one: (one.recall is None, one.recall or 0.0))
    rows = []
    for one in ranked:
        low, high = interval(one.right, one.pictures) if one.pictures else (0.0, 1.0)
        share = percent(one.recall)
        between = f"{low:.1%} to {high:.1%}" if one.pictures else ""
        rows.append((one.label, one.pictures, share, between, percent(one.precision)))
    return _table(("class", "pictures", "named right", "95% interval", "right when named"), rows)


def confused_table(measures: Measures) -> str:
    """Return the pairs of classes that are confused most often."""
    wrong = measures.confusion - np.diag(measures.confusion.diagonal())
    order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSED]
    rows = []
    for truth, named in zip(*np.unravel_index(order, wrong.shape), strict=True):
        if count := int(wrong[truth, named]):
            of = measures.classes[truth]
            name = measures.classes[named].label
            rows.append((of.label, name, count, percent(count / of.pictures)))
    head = ("true class", "named class", "pictures", "of the true class")
    return _table(head, rows) if rows else "<p>None.</p>"


def percent(share: float | None) -> str:
    """Return a share in percent; a dash where there is none."""
    return "–" if share is None else f"{share:.1%}"


def plain(text: object) -> str:
    """Return any text for HTML."""
    return escape(safe(str(text)))


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    titles = "".join(f"<th>{plain(title)}</th>" for title in head)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{plain(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
