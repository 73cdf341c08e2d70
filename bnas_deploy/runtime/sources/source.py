"""What every kind of source gives: pictures one after another, and how many to expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources.item import Item

__all__ = ["Chain", "Singles", "Source", "estimated"]


class Source(Protocol):
    """Pictures in an order that is the same every time; none is held."""

    def __iter__(self) -> Iterator[Item]:
        """Yield them, from the first."""

    def expected(self) -> int | None:
        """Their number, or what it looks like so far; None where nothing is known of it."""

    def names(self) -> Iterator[str]:
        """Yield the names of the files that they lie in, which `sources_of` takes.

        Raises:
            UsageError: They are not in files.
        """


class Singles(list[Item]):
    """Pictures that were named one by one."""

    def expected(self) -> int:
        """Their number."""
        return len(self)

    def names(self) -> Iterator[str]:
        """Their own names."""
        for item in self:
            if isinstance(item.picture, bytes):
                msg = f"{item.name}: other machines cannot read it; name a file"
                raise UsageError(msg)
            yield item.name


class Chain:
    """Several sources, one behind the other.

    Attributes:
        notes: What people should know of them.
    """

    def __init__(self, parts: Sequence[Source], notes: Sequence[str] = ()) -> None:
        self._parts = parts
        self.notes = notes

    def __iter__(self) -> Iterator[Item]:
        for part in self._parts:
            yield from part

    def expected(self) -> int | None:
        """The sum of what the sources expect, where all of them expect something."""
        total = 0
        for part in self._parts:
            count = part.expected()
            if count is None:
                return None
            total += count
        return total

    def names(self) -> Iterator[str]:
        """The names of all their files, one source behind the other."""
        for part in self._parts:
            yield from part.names()


SAMPLE = 20
"""Pictures from which the number of all is estimated."""


def estimated(seen: int, position: int, size: int) -> int | None:
    """The number of pictures in a file of which so many were seen up to a position, in bytes."""
    return round(seen * size / position) if seen >= SAMPLE and position else None
