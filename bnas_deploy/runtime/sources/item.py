"""One picture, and which files count as one by their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath

from bnas_deploy.runtime.images import Picture

__all__ = ["PICTURE_SUFFIXES", "Item", "is_picture"]

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
