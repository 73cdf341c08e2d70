"""Plain text for terminals: tables, safe names, a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from bnas_deploy.shown import safe

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["progress", "safe", "tolerant_output", "write_table"]

T = TypeVar("T")
MANY = 50


def tolerant_output() -> None:
    """Let a label that the terminal's encoding lacks come out as an escape, not as an error."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def write_table(header: Sequence[str], rows: Iterable[Sequence[object]], indent: str = "") -> None:
    """Print columns; numbers (and columns of them) to the right, words to the left."""
    cells = [[str(cell) for cell in row] for row in rows]
    lines = [list(header), *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    right = [all(_is_number(row[i]) for row in cells) for i in range(len(header))]
    for line in lines:
        padded = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        ]
        print((indent + "  ".join(padded)).rstrip())


def progress(
    items: Iterable[T], expected: Callable[[], int | None], *, done: int = 0
) -> Iterable[T]:
    """Show a bar while `items` pass: if stderr is a terminal, they are many, and tqdm is there.

    Args:
        items: What passes.
        expected: Tells its number, and that of what was done before, as far as it is known.
        done: The latter.
    """
    total = expected()
    if (total is not None and total < MANY) or not sys.stderr.isatty():
        return items
    try:
        from tqdm import tqdm  # noqa: PLC0415
    except ImportError:
        return items
    return _shown(items, tqdm(total=total, initial=done, unit="picture"), expected)


def _shown(items: Iterable[T], bar: tqdm[T], expected: Callable[[], int | None]) -> Iterator[T]:
    with bar:
        for item in items:
            yield item
            if bar.update():  # it was drawn, so it is time to look again
                bar.total = expected()


def _is_number(cell: str) -> bool:
    return cell in ("", "-") or cell.rstrip("%").replace(",", "").replace(".", "", 1).isdigit()
