"""Image folders that stay on disk: lists their files, and decodes them when they are needed.

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

from bnas_deploy.runtime.images import open_rgb
from bnas_deploy.runtime.preprocess import read_pixels
from bnas_deploy.training.crops import RandomCrop, square_sizes
from bnas_deploy.training.image_folder import SPLITS, is_image, test_split, unreadable_as_data_error

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
            rng, path = np.random.default_rng((seed, epoch, index)), self.paths[index]
            with unreadable_as_data_error():
                return crop(open_rgb(path), rng, path)

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
        with unreadable_as_data_error():
            return read_pixels(self.paths[index], square_sizes(self.size, self.resize))


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
    listed = {split: _list(path / split) for split in SPLITS if (path / split).is_dir()}
    splits = {split: rows for split, rows in listed.items() if rows}
    test = test_split(path, splits, FORM)
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
        for split, rows in splits.items()
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
