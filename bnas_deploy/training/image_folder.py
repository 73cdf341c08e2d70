"""Data sets of files `<split>/<class>/<image>`: which files count, and reading them into arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import DataError, ImageError
from bnas_deploy.runtime.images import open_rgb
from bnas_deploy.runtime.preprocess import read_pixels
from bnas_deploy.runtime.sources import is_picture
from bnas_deploy.training.crops import square_sizes

__all__ = [
    "SPLITS",
    "Collector",
    "Pixels",
    "Splits",
    "is_image",
    "test_split",
    "unreadable_as_data_error",
]

SPLITS = ("train", "val", "test")

Pixels = npt.NDArray[np.uint8]
Splits = dict[str, tuple[Pixels, npt.NDArray[np.int64]]]
"""Images (N, H, W, 3) and labels (N,) by split."""


def is_image(name: str) -> bool:
    """Tell whether a name is that of `.../<split>/<class>/<image>`."""
    path = PurePosixPath(name)
    return len(path.parts) >= 3 and path.parts[-3] in SPLITS and is_picture(path)


def test_split(source: Path, found: Collection[str], expected: str) -> str:
    """Return the split to measure accuracy on: test, or val if there is no test.

    Args:
        source: The data set, for the message.
        found: The splits that have images.
        expected: What a data set looks like, for the message.

    Raises:
        DataError: There is none, or none to learn from.
    """
    test = "test" if "test" in found else "val"
    if "train" in found and test in found:
        return test
    missing = "test or val to test on" if "train" in found else "train to learn from"
    there = " and ".join(split for split in SPLITS if split in found) or "no split"
    msg = f"{source}: images in {there}, but none in {missing}; {expected}"
    raise DataError(msg)


@contextmanager
def unreadable_as_data_error() -> Iterator[None]:
    """Let a picture that cannot be read be a fault of the data set; the message names it."""
    try:
        yield
    except ImageError as error:
        msg = f"{error}; replace it or take it out of the data set"
        raise DataError(msg) from error


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
        called = f"{self._source}: {name}"
        with unreadable_as_data_error():
            if self._size is None:
                return np.asarray(open_rgb(content, called))
            return read_pixels(content, square_sizes(self._size), called)

    def _check_size(self, name: str, image: Pixels) -> None:
        first = next(iter(self._images.values()))[0][2]
        if image.shape != first.shape:
            msg = (
                f"{self._source}: {name} is {image.shape[1]}x{image.shape[0]} pixels, others are"
                f" {first.shape[1]}x{first.shape[0]}; give an image size to resize to"
            )
            raise DataError(msg)
