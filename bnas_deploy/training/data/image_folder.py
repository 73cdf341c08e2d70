"""Data sets of pictures in folders of classes: read into arrays, split by split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import DataError, ImageError
from bnas_deploy.runtime.class_folders import TEST, TRAIN, UNSPLIT, VALIDATION, Layout, lay_out
from bnas_deploy.runtime.images import open_rgb
from bnas_deploy.runtime.preprocess import read_pixels
from bnas_deploy.shown import some
from bnas_deploy.training.data.crops import square_sizes

__all__ = [
    "Collector",
    "Pixels",
    "Splits",
    "trainable",
    "unreadable_as_data_error",
]

Pixels = npt.NDArray[np.uint8]
Splits = dict[str, tuple[Pixels, npt.NDArray[np.int64]]]
"""Images (N, H, W, 3) and labels (N,) by split."""

BROKEN_PICTURE = "cannot be read"


def trainable(layout: Layout, source: Path, expected: str) -> Layout:
    """Check that a layout can be learnt from; pictures without a split are to be trained on.

    Args:
        layout: Changed where the pictures have no split.
        source: The data set, for messages.
        expected: What a data set looks like, for messages.

    Raises:
        DataError: There are no pictures to learn from, or a split lacks a class.
    """
    found = layout.pictures
    if not found:
        msg = f"{source}: no images found; {expected}"
        raise DataError(msg)
    if UNSPLIT in found:
        found[TRAIN] = found.pop(UNSPLIT)
    if TRAIN not in found:
        there = " and ".join(split for split in (VALIDATION, TEST) if split in found)
        msg = f"{source}: images in {there}, but none in train to learn from; {expected}"
        raise DataError(msg)
    layout.check_classes(source)
    return layout


@contextmanager
def unreadable_as_data_error() -> Iterator[None]:
    """Let a picture that cannot be read be a fault of the data set; the message names it."""
    try:
        yield
    except ImageError as error:
        msg = f"{error}; replace it or take it out of the data set"
        raise DataError(msg) from error


class Collector:
    """Decodes pictures as they come; which split and class they are of shows at the end.

    Args:
        source: The data set, for messages.
        image_size: Pixels to resize to and cut out; None: all must have one size.
        expected: What a data set looks like, for messages.
        broken: Share of the pictures that may be left out because they cannot be read.
    """

    def __init__(
        self, source: Path, image_size: int | None, *, expected: str, broken: float
    ) -> None:
        self._source = source
        self._size = image_size
        self._expected = expected
        self._names: list[str] = []
        self._broken = broken
        self._images: dict[str, Pixels] = {}
        self._faults: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        """Take a picture and decode it."""
        self.pass_over(name)
        try:
            self._images[name] = self._decode(name, content)
        except ImageError as error:
            self._faults[name] = str(error)

    def pass_over(self, name: str) -> None:
        """Take note of a file without its content."""
        self._names.append(name)

    def finish(self) -> tuple[Splits, Layout]:
        """Return the splits and where their pictures were found.

        Raises:
            DataError: There is nothing to learn from, a split lacks a class, sizes differ, or too
                many pictures cannot be read.
        """
        layout = lay_out(self._names)
        self._check_faults([name for name in layout.names if name in self._faults], layout)
        layout.leave_out(self._faults, BROKEN_PICTURE)
        layout = trainable(layout, self._source, self._expected)
        index = {label: i for i, label in enumerate(layout.classes)}
        splits: Splits = {}
        for split, pictures in layout.pictures.items():
            self._check_sizes(list(pictures))
            labels = np.array([index[label] for label in pictures.values()], np.int64)
            splits[split] = np.stack([self._images.pop(name) for name in pictures]), labels
        return splits, layout

    def _decode(self, name: str, content: bytes) -> Pixels:
        called = f"{self._source}: {name}"
        if self._size is None:
            return np.asarray(open_rgb(content, called))
        return read_pixels(content, square_sizes(self._size), called)

    def _check_faults(self, names: list[str], layout: Layout) -> None:
        total = len(layout.names)
        if len(names) > self._broken * total:
            faults = some([self._faults[name] for name in names], 5, between="; ")
            msg = (
                f"{len(names)} of {total} pictures cannot be read, and at most"
                f" {100 * self._broken:g}% may be left out: {faults}; replace them, take them out"
                " of the data set, or allow a larger share (--broken 0.1)"
            )
            raise DataError(msg)

    def _check_sizes(self, names: list[str]) -> None:
        first = self._images[names[0]]
        for name in names:
            image = self._images[name]
            if image.shape != first.shape:
                msg = (
                    f"{self._source}: {name} is {image.shape[1]}x{image.shape[0]} pixels, others"
                    f" are {first.shape[1]}x{first.shape[0]}; give an image size to resize to"
                )
                raise DataError(msg)
