"""Paragraphs and tables as lines of Markdown."""

from __future__ import annotations

import textwrap

from bnas_deploy.experiments.definition import Table

__all__ = ["table_lines", "wrapped"]

WIDTH = 110


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return lines of a paragraph; all but the first begin with `indent`."""
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def table_lines(table: Table) -> list[str]:
    """Return a table with its title, columns even, and an empty line behind it."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (table.heads, *table.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.heads))]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return [*([f"{table.title}:", ""] if table.title else []), *lines, ""]
