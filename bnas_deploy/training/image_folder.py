"""Collecting `<split>/<class>/<image>` files into arrays. Does not look for the files."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
from PIL import Image

from bnas_deploy.errors import DataError

__all__ = [
    "ENDINGS",
    "SPLITS",
    "Collector",
    "Pixels",
    "Splits",
    "is_image",
]

SPLITS = ("train", "val", "test")
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp")

Pixels = npt.NDArray[np.uint8]
Splits = dict[str, tuple[Pixels, npt.NDArray[np.int64]]]
"""Images (N, H, W, 3) and labels (N,) by split."""


def is_image(name: str) -> bool:
    """Tell whether a name is that of `.../<split>/<class>/<image>`."""
    path = PurePosixPath(name)
    # macOS puts ._name files beside every file of a tar.
    hidden = path.name.startswith(".")
    in_split = len(path.parts) >= 3 and path.parts[-3] in SPLITS
    return in_split and not hidden and path.suffix.lower() in ENDINGS


class Collector:
    """Decodes images as they come and sorts them by split, class and name.

    Attributes:
        found: Whether any image has come.
    """

    def __init__(self, source: Path, image_size: int | None) -> None:
        self._source = source
        self._size = image_size
        self._images: dict[str, list[tuple[str, str, Pixels]]] = {}

    @property
    def found(self) -> bool:
        """Whether any image has come."""
        return bool(self._images)

    def add(self, name: str, content: bytes) -> None:
        """Decode one image.

        Raises:
            DataError: It cannot be decoded, or its size differs and none was given.
        """
        split, label, _ = PurePosixPath(name).parts[-3:]
        image = self._decode(name, content)
        self._images.setdefault(split, []).append((label, name, image))
        if self._size is None:
            self._check_size(name, image)

    def finish(self) -> tuple[Splits, tuple[str, ...]]:
        """Return the splits and the class names, alphabetical."""
        classes = tuple(sorted({label for rows in self._images.values() for label, _, _ in rows}))
        index = {label: i for i, label in enumerate(classes)}
        splits: Splits = {}
        for split, rows in self._images.items():
            # Names sort the same way whether a folder or a tar was read.
            rows.sort(key=lambda row: row[:2])
            labels = np.array([index[label] for label, _, _ in rows], np.int64)
            splits[split] = np.stack([image for _, _, image in rows]), labels
        return splits, classes

    def _decode(self, name: str, content: bytes) -> Pixels:
        try:
            image = Image.open(io.BytesIO(content)).convert("RGB")
        except Exception as error:
            # A broken file may raise anything at all.
            reason = f"{type(error).__name__}: {error}"
            msg = f"{self._source}: {name} is not a readable image ({reason})"
            raise DataError(msg) from error
        if self._size is not None and image.size != (self._size, self._size):
            image = _resize(image, self._size)
        return np.asarray(image, np.uint8)

    def _check_size(self, name: str, image: Pixels) -> None:
        first = next(iter(self._images.values()))[0][2]
        if image.shape != first.shape:
            msg = (
                f"{self._source}: {name} is {image.shape[1]}x{image.shape[0]} pixels, others are"
                f" {first.shape[1]}x{first.shape[0]}; give an image size to resize to"
            )
            raise DataError(msg)


def _resize(image: Image.Image, size: int) -> Image.Image:
    scale = size / min(image.size)
    width, height = (max(size, round(side * scale)) for side in image.size)
    left, top = (width - size) // 2, (height - size) // 2
    resized = image.resize((width, height), Image.Resampling.BILINEAR)
    return resized.crop((left, top, left + size, top + size))
