"""Names in braces, as a shell expands them: ``a-{00..12}.tar``, ``{train,val}.tar``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bnas_deploy.errors import UsageError

__all__ = ["expanded"]

LIMIT = 1_000_000
"""Names that one pair of braces may stand for."""

_BRACES = re.compile(r"\{([^{}]*(?:,|\.\.)[^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def expanded(pattern: str) -> Iterator[str]:
    """Yield the names that a pattern stands for; one without braces stands for itself.

    Numbers are filled up with zeros where the pattern's are.

    Raises:
        UsageError: A range is too long, or runs backwards.
    """
    found = _BRACES.search(pattern)
    if found is None:
        yield pattern
        return
    before, behind = pattern[: found.start()], pattern[found.end() :]
    for word in _words(found[1], pattern):
        yield from expanded(f"{before}{word}{behind}")


def _words(inside: str, pattern: str) -> Iterator[str]:
    numbers = _RANGE.fullmatch(inside)
    if numbers is None:
        yield from inside.split(",")
        return
    first, last = numbers.groups()
    count = int(last) - int(first) + 1
    if not 0 < count <= LIMIT:
        msg = f"{pattern}: {{{inside}}} stands for {count:,} names; expected 1 to {LIMIT:,}"
        raise UsageError(msg)
    width = max(map(len, (first, last))) if first.startswith("0") or last.startswith("0") else 0
    for number in range(int(first), int(last) + 1):
        yield f"{number:0{width}}"
