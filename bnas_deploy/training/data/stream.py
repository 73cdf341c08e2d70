"""Image folders that stay on disk: lists their files, and decodes them when they are needed.

Shapes: images (N, S, S, 3) uint8. Threads decode: Pillow leaves the interpreter free meanwhile.
What is random about an image depends on the seed, the epoch and the image alone, so neither the
number of threads nor of processes nor an interruption changes a run.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import DataError
from bnas_deploy.runtime.class_folders import TEST, TRAIN, VALIDATION, lay_out
from bnas_deploy.runtime.images import open_rgb
from bnas_deploy.runtime.preprocess import read_pixels
from bnas_deploy.runtime.sources import files_in
from bnas_deploy.training.data.crops import RandomCrop, square_sizes
from bnas_deploy.training.data.image_folder import trainable, unreadable_as_data_error

__all__ = [
    "FORM",
    "StreamedData",
    "StreamedSet",
    "open_folder",
]

FORM = "expected a folder <class>/<image> or <train|val|test>/<class>/<image>"

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

    def chosen(self, indices: Indices) -> StreamedSet:
        """Return the files at these indices."""
        paths = tuple(self.paths[index] for index in indices)
        return replace(self, paths=paths, labels=self.labels[indices])

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
    """A data set on disk; the attributes are those of `images.ImageData`.

    Attributes:
        name: What the folder is called.
        classes: Class names in the order of the labels.
        train: Images to learn from.
        test: Images to measure accuracy on; may be none.
        validation: Images to choose the best epoch by; may be none.
        skipped: Names of files that were left out, by the reason.
    """

    name: str
    classes: tuple[str, ...]
    train: StreamedSet
    test: StreamedSet
    validation: StreamedSet
    skipped: Mapping[str, Sequence[str]] = field(default_factory=dict)


def open_folder(
    path: str | os.PathLike[str], *, size: int, resize: int, workers: int | None = None
) -> StreamedData:
    """List the images of a folder without reading them.

    Args:
        path: Pictures in folders of classes, with or without splits (`runtime.class_folders`).
        size: Pixels of the squares that the network takes.
        resize: Pixels of the shorter side before the centre is cut out, for evaluation.
        workers: Threads that decode; None: as many as there are cores.

    Raises:
        DataError: The folder is missing, has nothing to learn from, or has a class that one of its
            splits lacks.
    """
    path = Path(path)
    if not path.is_dir():
        msg = f"{path}: no such folder; {FORM}"
        raise DataError(msg)
    layout = trainable(lay_out(name for name, _ in files_in(path)), path, FORM)
    index = {label: i for i, label in enumerate(layout.classes)}

    def listed(split: str) -> StreamedSet:
        pictures = layout.pictures.get(split, {})
        return StreamedSet(
            paths=tuple(f"{path}/{name}" for name in pictures),
            labels=np.array([index[label] for label in pictures.values()], np.int64),
            size=size,
            resize=resize,
            workers=workers or os.cpu_count() or 1,
        )

    train, test, validation = map(listed, (TRAIN, TEST, VALIDATION))
    name = path.resolve().name
    return StreamedData(name, layout.classes, train, test, validation, layout.skipped)
