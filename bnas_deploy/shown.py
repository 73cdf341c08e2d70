"""Any text or value in a message, whatever it is; it may come from a hostile file."""

from __future__ import annotations

import reprlib

__all__ = ["safe", "shown"]


def safe(text: str) -> str:
    r"""Text with what a terminal might obey (or cannot show) written as ``\x1b`` and the like."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """Return at most some 40 characters of a value's repr."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no integers of more than 4,300 digits
        return f"a {type(value).__name__} of too many digits"
