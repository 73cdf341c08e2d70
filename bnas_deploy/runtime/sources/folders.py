"""The files of a folder and of the folders below."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources.item import is_picture

__all__ = ["files_in", "pictures_in"]


def pictures_in(folder: Path) -> list[Path]:
    """All pictures in a folder and below, sorted by path."""
    return [path for name, path in files_in(folder) if is_picture(name)]


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
