"""Which pictures a person means: files, folders, patterns or standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.images import Picture

__all__ = ["PICTURE_SUFFIXES", "Item", "files_in", "find_pictures", "is_picture", "pictures_in"]

STDIN = "-"
_SUFFIXES = "avif bmp dib gif ico jfif jp2 jpe jpeg jpg pbm pcx pgm png pnm ppm tga tif tiff webp"
PICTURE_SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())
"""Endings of pictures in folders and tars; a file that is named itself may be called anything."""


@dataclass(frozen=True)
class Item:
    """One picture to look at.

    Attributes:
        name: What people call it.
        picture: Where it is, or its bytes.
        truth: Index of its class, where that is known.
    """

    name: str
    picture: Picture
    truth: int | None = None


def find_pictures(arguments: Sequence[str]) -> tuple[list[Item], list[str]]:
    """Find the pictures that command-line arguments name.

    Args:
        arguments: Files, folders (searched through all levels for `PICTURE_SUFFIXES`), patterns
            with ``*``, ``?``, ``[`` or ``**``, and ``-`` for a picture on standard input.

    Returns:
        The pictures in the order of the arguments, those of a folder or pattern sorted by path; and
        one message for each argument that names none.

    Raises:
        UsageError: There is no picture at all.
    """
    items: list[Item] = []
    problems: list[str] = []
    for argument in arguments:
        found = list(_expand(argument))
        items += found
        if not found:
            problems.append(_problem(argument))
    if not items:
        msg = "; ".join(problems) or "no pictures given; name files, folders, patterns or -"
        raise UsageError(msg)
    return items, problems


def is_picture(name: str | PurePath) -> bool:
    """Tell whether a file counts as a picture: for training, evaluation and `find_pictures`.

    It has one of `PICTURE_SUFFIXES`, in any case, and neither it nor its folder is hidden: macOS
    puts ``._name`` files into tars, notebooks leave ``.ipynb_checkpoints``.

    Args:
        name: Path of the file, relative to the folder or tar that was named.
    """
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") for part in path.parts[-2:])
    return path.suffix.lower() in PICTURE_SUFFIXES and not hidden


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


def _expand(argument: str) -> Iterator[Item]:
    path = Path(argument)
    if argument == STDIN:
        yield Item("<stdin>", sys.stdin.buffer.read())
    elif path.is_dir():
        yield from (Item(str(file), file) for file in pictures_in(path))
    elif path.exists():
        yield Item(argument, path)
    else:
        import glob  # noqa: PLC0415 - most arguments are files and folders

        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - absolute patterns too
        yield from (Item(name, Path(name)) for name in matches if Path(name).is_file())


def _problem(argument: str) -> str:
    if Path(argument).is_dir():
        return f"{argument}: no pictures in this folder"
    import glob  # noqa: PLC0415 - see above

    if glob.has_magic(argument):
        return f"{argument}: no file matches this pattern"
    return f"{argument}: no such file"
