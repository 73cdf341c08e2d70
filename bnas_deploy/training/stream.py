"""Image folders that stay on disk: which files there are, and decoding them when they are needed.

Shapes: images (N, S, S, 3) uint8. Threads decode: Pillow leaves the interpreter free meanwhile.
What is random about an image depends on the seed, the epoch and the image alone, so neither the
number of threads nor of processes nor an interruption changes a run.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bnas_deploy.errors import DataError
from bnas_deploy.runtime.images import open_rgb
from bnas_deploy.training.crops import RandomCrop, centre_crop
from bnas_deploy.training.image_folder import SPLITS, is_image

__all__ = [
    "FORM",
    "StreamedData",
    "StreamedSet",
    "open_folder",
]

FORM = "expected a folder <train|val|test>/<class>/<image>"

Pixels = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

_AHEAD = 2
"""Batches that are decoded while another is in use."""


@dataclass(frozen=True)
class StreamedSet:
    """Labelled image files of one split.

    Attributes:
        paths: Of the files, sorted by class and name.
        labels: (N,) int64, indices into the class names.
        size: Pixels of the squares that the network takes.
        resize: Pixels of the shorter side before the centre is cut out, for evaluation.
        workers: Threads that decode.
    """

    paths: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    size: int
    resize: int
    workers: int

    def __len__(self) -> int:
        return len(self.paths)

    def parts(self, slices: Iterable[slice]) -> Generator[Pixels, None, None]:
        """Decode the centres of consecutive images, part after part.

        Raises:
            DataError: A file cannot be decoded.
        """
        everything = np.arange(len(self))
        return self._decode((everything[part] for part in slices), self._centre)

    def crops(
        self, parts: Iterable[Indices], crop: RandomCrop, *, seed: int, epoch: int
    ) -> Generator[Pixels, None, None]:
        """Decode random crops of the images chosen by each part.

        Raises:
            DataError: A file cannot be decoded.
        """

        def one(index: int) -> Pixels:
            rng = np.random.default_rng((seed, epoch, index))
            return self._open(index, lambda image, name: crop(image, rng, name))

        return self._decode(parts, one)

    def _decode(
        self, parts: Iterable[Indices], one: Callable[[int], Pixels]
    ) -> Generator[Pixels, None, None]:
        waiting: deque[list[Future[Pixels]]] = deque()
        pool = ThreadPoolExecutor(self.workers, "decode")
        try:
            for part in parts:
                waiting.append([pool.submit(one, int(index)) for index in part])
                if len(waiting) > _AHEAD:
                    yield np.stack([future.result() for future in waiting.popleft()])
            while waiting:
                yield np.stack([future.result() for future in waiting.popleft()])
        finally:
            pool.shutdown(cancel_futures=True)

    def _centre(self, index: int) -> Pixels:
        def centre(image: Image.Image, name: str) -> Pixels:
            return centre_crop(image, self.resize, self.size, name)

        return self._open(index, centre)

    def _open(self, index: int, use: Callable[[Image.Image, str], Pixels]) -> Pixels:
        path = self.paths[index]
        try:
            return use(open_rgb(path), path)
        except Exception as error:
            # A broken file may raise anything at all.
            msg = f"{path}: not a readable image ({type(error).__name__}: {error})"
            raise DataError(msg) from error


@dataclass(frozen=True)
class StreamedData:
    """A data set on disk; the attributes are those of `data.ImageData`.

    Attributes:
        name: What the folder is called.
        classes: Class names in the order of the labels.
        train: Images to learn from.
        test: Images to measure accuracy on: the split test, or val if there is no test.
    """

    name: str
    classes: tuple[str, ...]
    train: StreamedSet
    test: StreamedSet


def open_folder(
    path: str | os.PathLike[str], *, size: int, resize: int, workers: int | None = None
) -> StreamedData:
    """List the images of a folder without reading them.

    Args:
        path: Holds `<train|val|test>/<class>/<image>`; anything else in it is passed over.
        size: Pixels of the squares that the network takes.
        resize: Pixels of the shorter side before the centre is cut out, for evaluation.
        workers: Threads that decode; None: as many as there are cores.

    Raises:
        DataError: The folder is missing, or has no images of a split.
    """
    path = Path(path)
    splits = {split: _list(path / split) for split in SPLITS if (path / split).is_dir()}
    test = "test" if splits.get("test") else "val"
    for split in ("train", test):
        if not splits.get(split):
            msg = f"{path}: no images of a split {split}; {FORM}"
            raise DataError(msg)
    used = {split: splits[split] for split in ("train", test)}
    # As when a data set is read into memory, a class counts whatever split has it.
    classes = tuple(sorted({label for rows in splits.values() for label, _ in rows}))
    index = {label: i for i, label in enumerate(classes)}
    sets = {
        split: StreamedSet(
            paths=tuple(file for _, file in rows),
            labels=np.array([index[label] for label, _ in rows], np.int64),
            size=size,
            resize=resize,
            workers=workers or os.cpu_count() or 1,
        )
        for split, rows in used.items()
    }
    return StreamedData(path.resolve().name, classes, sets["train"], sets[test])


def _list(folder: Path) -> list[tuple[str, str]]:
    rows = []
    for entry in os.scandir(folder):
        if entry.is_dir():
            names = (file.name for file in os.scandir(entry.path))
            rows += [
                (entry.name, f"{entry.path}/{name}")
                for name in names
                if is_image(f"{folder.name}/{entry.name}/{name}")
            ]
    return sorted(rows)
