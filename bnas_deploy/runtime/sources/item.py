"""One picture, and which files count as one by their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath, PurePosixPath

from bnas_deploy.errors import ImageError
from bnas_deploy.runtime.images import Picture

__all__ = [
    "PICTURE_SUFFIXES",
    "UNREAD_SUFFIXES",
    "Item",
    "Stored",
    "held",
    "is_picture",
    "unreadable",
]

Stored = Callable[[], bytes]
"""Reads a picture where it lies in a larger file, before the next one there is asked for."""

_SUFFIXES = "avif bmp dib gif ico jfif jp2 jpe jpeg jpg pbm pcx pgm png pnm ppm tga tif tiff webp"
PICTURE_SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())
"""Endings of pictures in folders and tars; a file that is named itself may be called anything."""

UNREAD_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in [
        "arw",
        "cr2",
        "cr3",
        "dng",
        "eps",
        "heic",
        "heif",
        "jxl",
        "nef",
        "psd",
        "raw",
        "svg",
    ]
)
"""Endings of pictures that are not decoded here, which people may expect to be."""


@dataclass(frozen=True)
class Item:
    """One picture to look at.

    Attributes:
        name: What people call it.
        picture: Where it is, its bytes, or what reads them.
        truth: Index of its class, where that is known.
    """

    name: str
    picture: Picture | Stored
    truth: int | None = None

    def taken(self) -> Picture:
        """The picture itself, read if it lies in a larger file.

        Raises:
            ImageError: It cannot be read there.
        """
        return self.picture() if callable(self.picture) else self.picture


def held(item: Item) -> Item:
    """The item with its picture in memory, to be looked at more than once."""
    try:
        return replace(item, picture=item.taken())
    except ImageError as error:
        return unreadable(item.name, str(error))


def unreadable(name: str, reason: str) -> Item:
    """An item whose picture cannot be read, for that reason; the reason names it."""

    def read() -> bytes:
        raise ImageError(reason)

    return Item(name, read)


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
