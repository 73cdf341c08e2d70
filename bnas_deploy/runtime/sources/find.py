"""The pictures that command-line arguments name, whatever kind of place each of them is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources.folders import Folder
from bnas_deploy.runtime.sources.item import Item
from bnas_deploy.runtime.sources.names import STDIN, found_names
from bnas_deploy.runtime.sources.source import Chain, Singles, Source

__all__ = ["find_pictures", "is_container", "sources_of"]

TAR = (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")
TABLE = ".parquet"


def find_pictures(
    arguments: Sequence[str], *, listing: str | None = None, column: str | None = None
) -> tuple[Chain, list[str]]:
    """Find the pictures that command-line arguments name.

    Args:
        arguments: Files, folders (searched through all levels for `PICTURE_SUFFIXES`), tars and
            Parquet files (known by their endings), patterns with ``*``, ``?``, ``[`` or ``**``,
            names with braces (``a-{00..12}.tar``), and ``-`` for a picture on standard input.
        listing: A file with a path on each line, or ``-`` for lines on standard input.
        column: Of the Parquet files; None: the only one that may hold pictures.

    Returns:
        The pictures in the order of the arguments and then of the list, those of a folder or
        pattern sorted by path; and one message for each argument that names none.

    Raises:
        UsageError: There is no picture at all; the list or a Parquet file cannot be read, or has no
            such column; a column is named, but no Parquet file.
    """
    names, problems = found_names(arguments)
    _check_standard_input(names, listing)
    parts = list(sources_of(names, column))
    problems += [part.problem for part in parts if isinstance(part, Folder) and part.problem]
    if listing is not None:
        parts.append(_listed(listing, column))
    elif column is not None and not any(map(_is_table, names)):
        raise UsageError(_NO_TABLE)
    if all(part.expected() == 0 for part in parts):
        msg = "; ".join(problems) or "no pictures given; name files, folders, patterns or -"
        raise UsageError(msg)
    notes = [part.note for part in parts if isinstance(part, Folder) and part.note]
    return Chain(parts, notes), problems


_NO_TABLE = "--column is of Parquet files, and none is given; leave it out"


def _listed(listing: str, column: str | None) -> Source:
    from bnas_deploy.runtime.sources.lists import Listing  # noqa: PLC0415 - rarely needed

    source = Listing(listing, lambda name: Chain(list(sources_of([name], column))))
    if column is not None and listing != STDIN and not any(map(_is_table, source.lines())):
        raise UsageError(_NO_TABLE)
    return source


def _check_standard_input(names: Sequence[str], listing: str | None) -> None:
    if listing == STDIN and STDIN in names:
        msg = "- is a picture on standard input, and --files - a list there; give one of them"
        raise UsageError(msg)


Make = Callable[[list[str], str | None], Iterator[Source]]
"""Makes the sources of names of one kind, and the column for tables."""


def sources_of(names: Iterable[str], column: str | None) -> Iterator[Source]:
    """Make the sources of these names; a file that is not there cannot be read later.

    Args:
        names: Files and folders, no patterns.
        column: As for `find_pictures`.

    Raises:
        UsageError: A Parquet file cannot be read, or has no such column.
    """
    for make, group in groupby(names, _make):
        yield from make(list(group), column)


def _make(name: str) -> Make:
    if name != STDIN and Path(name).is_dir():
        return _folders
    return _tars if name.lower().endswith(TAR) else _tables if _is_table(name) else _singles


def is_container(name: str) -> bool:
    """Tell by its name whether a file holds pictures, rather than being one."""
    return name.lower().endswith((*TAR, TABLE))


def _is_table(name: str) -> bool:
    return name.lower().endswith(TABLE)


def _singles(names: list[str], _: str | None) -> Iterator[Source]:
    yield Singles(_standard_input() if name == STDIN else Item(name, Path(name)) for name in names)


def _standard_input() -> Item:
    if sys.stdin is None:
        msg = "standard input is closed; give it a picture, for example with < photo.jpg"
        raise UsageError(msg)
    return Item("<stdin>", sys.stdin.buffer.read())


def _folders(names: list[str], _: str | None) -> Iterator[Source]:
    yield from (Folder(Path(name)) for name in names)


def _tars(names: list[str], _: str | None) -> Iterator[Source]:
    from bnas_deploy.runtime.sources.shards import Shards  # noqa: PLC0415 - rarely needed

    yield Shards([Path(name) for name in names])


def _tables(names: list[str], column: str | None) -> Iterator[Source]:
    from bnas_deploy.runtime.sources.tables import Tables  # noqa: PLC0415 - rarely needed

    yield Tables([Path(name) for name in names], column)
