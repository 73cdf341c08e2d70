"""A large job in units that any process can do: some files, one tar, or one Parquet file each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from bnas_deploy.runtime.sources import Source
from bnas_deploy.runtime.sources.find import is_container

__all__ = ["Unit", "fingerprint", "units_of"]

FILES = 500
"""Pictures of a unit that are files of their own."""


@dataclass(frozen=True)
class Unit:
    """A part of a job.

    Attributes:
        number: Its place, from 0.
        names: Of the files, as `sources_of` takes them.
    """

    number: int
    names: tuple[str, ...]


def units_of(source: Source, *, files: int = FILES) -> list[Unit]:
    """Divide pictures into units, in order.

    Raises:
        UsageError: Some are not in files.
    """
    return [Unit(i, names) for i, names in enumerate(_divided(source.names(), files))]


def _divided(names: Iterable[str], files: int) -> Iterator[tuple[str, ...]]:
    for alone, group in groupby(names, is_container):
        some: list[str] = []
        for name in group:
            some.append(name)
            if alone or len(some) == files:
                yield tuple(some)
                some = []
        if some:
            yield tuple(some)


def fingerprint(units: Iterable[Unit]) -> str:
    """SHA-256, in hexadecimal, of the names of all units."""
    found = hashlib.sha256()
    for unit in units:
        found.update("\n".join([*unit.names, "", ""]).encode("utf-8", "surrogateescape"))
    return found.hexdigest()
