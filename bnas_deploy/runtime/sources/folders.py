"""The files of a folder and of the folders below, and the pictures among them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources.item import UNREAD_SUFFIXES, Item, is_picture

__all__ = ["Folder", "files_in", "pictures_in"]


class Folder:
    """The pictures in a folder and below, sorted by path.

    Attributes:
        problem: What is wrong if there are none.
        note: What is passed over, or None.

    Raises:
        UsageError: A folder cannot be listed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        suffixes = Counter(Path(name).suffix.lower() for name, _ in files_in(path))
        self._count = sum(1 for _ in pictures_in(path))
        self.note = _passed_over(path, {s: n for s, n in suffixes.items() if s in UNREAD_SUFFIXES})
        self.problem = (
            None if self._count else f"{path}: no pictures in this folder{_tars_in(path)}"
        )

    def __iter__(self) -> Iterator[Item]:
        return (Item(str(path), path) for path in pictures_in(self._path))

    def expected(self) -> int:
        """Their number when the folder was looked at first."""
        return self._count

    def names(self) -> Iterator[str]:
        """Their paths."""
        return map(str, pictures_in(self._path))


def _passed_over(folder: Path, counts: Mapping[str, int]) -> str | None:
    if not counts:
        return None
    kinds = " and ".join(f"{count:,} {suffix}" for suffix, count in sorted(counts.items()))
    return f"{folder}: {kinds} passed over, which are not read here; convert them, say to JPEG"


def _tars_in(folder: Path) -> str:
    """What to do about a folder of shards."""
    return f" (name its tars: '{folder}/*.tar')" if any(folder.glob("*.tar")) else ""


def pictures_in(folder: Path) -> Iterator[Path]:
    """All pictures in a folder and below, sorted by path."""
    return (path for name, path in files_in(folder) if is_picture(name))


def files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """All files in a folder and below, sorted: name relative to it, with forward slashes, and path.

    Links are followed: large image folders are often made of them. One that leads back to a folder
    that it lies in is not.

    Raises:
        UsageError: A folder cannot be listed.
    """
    yield from _files_in(folder, "", frozenset())


def _files_in(
    folder: Path, above: str, outer: frozenset[tuple[int, int]]
) -> Iterator[tuple[str, Path]]:
    try:
        there = folder.stat()
        with os.scandir(folder) as entries:
            rows = sorted((entry.name, entry.is_dir(), entry.is_file()) for entry in entries)
    except OSError as error:
        msg = f"{folder}: cannot be listed ({error.strerror})"
        raise UsageError(msg) from error
    here = (there.st_dev, there.st_ino)
    if here in outer:
        return
    for name, is_dir, is_file in rows:
        if is_dir:
            yield from _files_in(folder / name, f"{above}{name}/", outer | {here})
        elif is_file:
            yield f"{above}{name}", folder / name
