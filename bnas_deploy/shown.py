"""Any value as a few words for a message, whatever it is; it may come from a hostile file."""

from __future__ import annotations

import reprlib

__all__ = ["shown"]


def shown(value: object) -> str:
    """Return at most some 40 characters of a value's repr."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no integers of more than 4,300 digits
        return f"a {type(value).__name__} of too many digits"
