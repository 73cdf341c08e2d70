"""Any text or value in a message, whatever it is; it may come from a hostile file."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence

__all__ = ["found_name", "nearest", "safe", "shown", "some", "unknown_name"]


def safe(text: str) -> str:
    r"""Text with what a terminal might obey (or cannot show) written as ``\x1b`` and the like."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """Return at most some 40 characters of a value's repr."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no integers of more than 4,300 digits
        return f"a {type(value).__name__} of too many digits"


def some(names: Sequence[str], most: int = 12, between: str = ", ") -> str:
    """Return names as a list, cut after so many of them."""
    listed = between.join(names[:most])
    return listed if len(names) <= most else f"{listed}{between}… ({len(names)} in all)"


def found_name(name: str, known: Iterable[str]) -> str | None:
    """Return the one of the known names that is meant, whatever its case; None if there is none."""
    names = list(known)
    same = [other for other in names if other.lower() == str(name).lower()]
    return name if name in names else same[0] if len(same) == 1 else None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean X?)`` for a mistyped name, or nothing where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes alone

    # The dashes of an option make it no more like another.
    plain = {other.lower().lstrip("-"): other for other in known}
    close = get_close_matches(str(name).lower().lstrip("-"), plain, n=1, cutoff=0.6)
    return f" (did you mean {plain[close[0]]}?)" if close else ""


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence that refuses a name: what is near it, and all that there are."""
    names = list(known)
    return f"unknown {what} {name!r}{nearest(name, names)}; choose one of {', '.join(names)}"
