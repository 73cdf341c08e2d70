"""Image data sets as arrays, read from the forms that people have.

Shapes: images (N, H, W, 3) uint8, labels (N,) int64.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import DataError
from bnas_deploy.training import cifar_batches, image_folder
from bnas_deploy.training.files import FileSource, open_source

__all__ = [
    "FORMS",
    "ImageData",
    "ImageSet",
    "load_data",
]

FORMS = (
    "expected a folder <train|val|test>/<class>/<image>, a tar of one, cifar-10-python.tar.gz"
    " or a folder cifar-10-batches-py"
)


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

    def parts(self, slices: Iterable[slice]) -> Iterator[npt.NDArray[np.uint8]]:
        """Return consecutive images, part after part."""
        return (self.images[part] for part in slices)

    def take(self, count: int) -> ImageSet:
        """Return `count` images spread evenly over this set, or all if there are fewer."""
        chosen = np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.int64))
        return ImageSet(self.images[chosen], self.labels[chosen])


@dataclass(frozen=True)
class ImageData:
    """A data set.

    Attributes:
        name: What the file or folder is called, without its endings.
        classes: Class names in the order of the labels.
        train: Images to learn from.
        test: Images to measure accuracy on: the split test, or val if there is no test.
    """

    name: str
    classes: tuple[str, ...]
    train: ImageSet
    test: ImageSet


def load_data(path: str | os.PathLike[str], *, image_size: int | None = None) -> ImageData:
    """Decode a whole data set into memory.

    Args:
        path: An image folder `<train|val|test>/<class>/<image>`, a tar of one in any compression,
            or CIFAR-10 as published (`cifar-10-python.tar.gz` or the folder inside it).
        image_size: Pixels; pictures of another size are resized by their shorter side and cropped
            in the centre. None: all must have one size.

    Raises:
        DataError: The source is missing, unreadable, has no images of a split, or has pictures of
            different sizes.
    """
    path = Path(path)
    files = open_source(path, FORMS)
    splits, classes = _read(files, path, image_size)
    test = image_folder.test_split(path, splits, FORMS)
    return ImageData(_name(path), classes, ImageSet(*splits["train"]), ImageSet(*splits[test]))


def _read(
    files: FileSource, path: Path, image_size: int | None
) -> tuple[image_folder.Splits, tuple[str, ...]]:
    folder = image_folder.Collector(path, image_size)
    batches = cifar_batches.Collector(path)
    for name, content in files:
        if image_folder.is_image(name):
            folder.add(name, content())
        elif cifar_batches.is_batch(name):
            batches.add(name, content())
    if batches.found:
        return batches.finish()
    if not folder.found:
        msg = f"{path}: no images found; {FORMS}"
        raise DataError(msg)
    return folder.finish()


def _name(path: Path) -> str:
    name = path.resolve().name
    for ending in (".tar", ".tgz", ".txz"):
        name = name.partition(ending)[0]
    return name
