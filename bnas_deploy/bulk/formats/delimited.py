"""CSV: the best class in columns of its own, the next ones behind it, numbered."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from bnas_deploy.bulk.rows import Row

__all__ = ["write_csv"]

FIELDS = ("label", "index", "probability")


def write_csv(file: BinaryIO, rows: Iterable[Row]) -> None:
    """Write all rows, and a line with the columns' names."""
    text = io.TextIOWrapper(
        file, encoding="utf-8", errors="backslashreplace", newline="", write_through=True
    )
    writer = csv.writer(text, lineterminator="\n")
    waiting = iter(rows)
    first: list[Row] = []
    width = 1
    for row in waiting:  # how many classes a row names is known from the first answer on
        first.append(row)
        if row["top"] is not None:
            width = len(row["top"])
            break
    names = [name if not i else f"{name}_{i + 1}" for i in range(width) for name in FIELDS]
    writer.writerow(["image", "error", *names])
    writer.writerows(_cells(chain(first, waiting), width))
    text.detach()


def _cells(rows: Iterable[Row], width: int) -> Iterator[list[object]]:
    for row in rows:
        top = row["top"] or []
        cells = [value for guess in top for value in guess.values()]
        yield [row["image"], row["error"], *cells, *[""] * (len(FIELDS) * width - len(cells))]
