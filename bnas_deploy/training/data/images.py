"""Image data sets as arrays, read from the forms that people have.

Shapes: images (N, H, W, 3) uint8, labels (N,) int64.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnas_deploy.runtime.class_folders import TEST, TRAIN, VALIDATION
from bnas_deploy.runtime.sources import is_picture
from bnas_deploy.training.data import cifar_batches, image_folder
from bnas_deploy.training.data.files import FileSource, open_source

__all__ = [
    "BROKEN",
    "FORMS",
    "ImageData",
    "ImageSet",
    "load_data",
]

FORMS = (
    "expected a folder <class>/<image> or <train|val|test>/<class>/<image>, a tar of one,"
    " cifar-10-python.tar.gz or a folder cifar-10-batches-py"
)


BROKEN = 0.01
"""Share of the pictures that may be left out because they cannot be read."""


@dataclass(frozen=True)
class ImageSet:
    """Labelled images of one split.

    Attributes:
        images: (N, H, W, 3) uint8, RGB.
        labels: (N,) int64, indices into the class names.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def empty(cls) -> ImageSet:
        """Return a set of no images."""
        return cls(np.empty((0, 1, 1, 3), np.uint8), np.empty(0, np.int64))

    def chosen(self, indices: npt.NDArray[np.int64]) -> ImageSet:
        """Return the images at these indices."""
        return ImageSet(self.images[indices], self.labels[indices])

    def parts(self, slices: Iterable[slice]) -> Iterator[npt.NDArray[np.uint8]]:
        """Return consecutive images, part after part."""
        return (self.images[part] for part in slices)

    def take(self, count: int) -> ImageSet:
        """Return `count` images spread evenly over this set, or all if there are fewer."""
        chosen = np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.int64))
        return self.chosen(chosen)


@dataclass(frozen=True)
class ImageData:
    """A data set.

    Attributes:
        name: What the file or folder is called, without its endings.
        classes: Class names in the order of the labels.
        train: Images to learn from.
        test: Images to measure accuracy on; may be none.
        validation: Images to choose the best epoch by; may be none.
        skipped: Names of files that were left out, by the reason.
    """

    name: str
    classes: tuple[str, ...]
    train: ImageSet
    test: ImageSet
    validation: ImageSet = field(default_factory=ImageSet.empty)
    skipped: Mapping[str, Sequence[str]] = field(default_factory=dict)


def load_data(
    path: str | os.PathLike[str], *, image_size: int | None = None, broken: float = BROKEN
) -> ImageData:
    """Decode a whole data set into memory.

    Args:
        path: A folder of pictures in folders of classes, with or without splits
            (`runtime.class_folders`), a tar of one in any compression, or CIFAR-10 as published
            (`cifar-10-python.tar.gz` or the folder inside it).
        image_size: Pixels; pictures of another size are resized by their shorter side and cropped
            in the centre. None: all must have one size.
        broken: Share of the pictures that may be left out because they cannot be read.

    Raises:
        DataError: The source is missing or unreadable, has nothing to learn from, has a class that
            one of its splits lacks, or pictures of different sizes, or too many broken ones.
    """
    path = Path(path)
    files = open_source(path, FORMS)
    splits, classes, skipped = _read(files, path, image_size, broken)
    sets = {split: ImageSet(*arrays) for split, arrays in splits.items()}
    return ImageData(
        _name(path),
        classes,
        sets[TRAIN],
        sets.get(TEST, ImageSet.empty()),
        sets.get(VALIDATION, ImageSet.empty()),
        skipped,
    )


def _read(
    files: FileSource, path: Path, image_size: int | None, broken: float
) -> tuple[image_folder.Splits, tuple[str, ...], dict[str, list[str]]]:
    folder = image_folder.Collector(path, image_size, expected=FORMS, broken=broken)
    batches = cifar_batches.Collector(path)
    for name, content in files:
        if is_picture(name):
            folder.add(name, content())
        elif cifar_batches.is_batch(name):
            batches.add(name, content())
        else:
            folder.pass_over(name)
    if batches.found:
        return *batches.finish(), {}
    splits, layout = folder.finish()
    return splits, layout.classes, layout.skipped


def _name(path: Path) -> str:
    name = path.resolve().name
    for ending in (".tar", ".tgz", ".txz"):
        name = name.partition(ending)[0]
    return name
