"""Reads CIFAR-10's original batches: pickles, of which only arrays are unpickled."""

from __future__ import annotations

import io
import pickle
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import DataError
from bnas_deploy.training.data.image_folder import Splits

__all__ = [
    "CLASSES",
    "SIDE",
    "Collector",
    "is_batch",
]

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
SIDE = 32

_TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def is_batch(name: str) -> bool:
    """Tell whether a name is that of one of the six batches."""
    return PurePosixPath(name).name in (*_TRAIN, "test_batch")


class Collector:
    """Gathers the batches as they come.

    Attributes:
        found: Whether any batch has come.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._batches: dict[str, tuple[Any, Any]] = {}

    @property
    def found(self) -> bool:
        """Whether any batch has come."""
        return bool(self._batches)

    def add(self, name: str, content: bytes) -> None:
        """Read one batch.

        Raises:
            DataError: It is not a batch of CIFAR-10.
        """
        try:
            batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
            pixels = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, SIDE, SIDE)
            labels = np.asarray(batch[b"labels"], np.int64).reshape(len(pixels))
        except Exception as error:
            # A broken pickle may raise anything at all.
            msg = f"{self._source}: {name} is not a batch of CIFAR-10 ({error!r})"
            raise DataError(msg) from error
        self._check_labels(name, labels)
        self._batches[PurePosixPath(name).name] = pixels.transpose(0, 2, 3, 1), labels

    def finish(self) -> tuple[Splits, tuple[str, ...]]:
        """Return the splits train and test, and the class names.

        Raises:
            DataError: A batch is missing.
        """
        missing = [name for name in (*_TRAIN, "test_batch") if name not in self._batches]
        if missing:
            msg = f"{self._source}: CIFAR-10 without {', '.join(missing)}"
            raise DataError(msg)
        parts = [self._batches[name] for name in _TRAIN]
        pixels = np.concatenate([images for images, _ in parts])
        labels = np.concatenate([labels for _, labels in parts])
        images, test_labels = self._batches["test_batch"]
        splits = {
            "train": (pixels, labels),
            "test": (np.ascontiguousarray(images), test_labels),
        }
        return splits, CLASSES

    def _check_labels(self, name: str, labels: npt.NDArray[np.int64]) -> None:
        if labels.size and (labels.min() < 0 or labels.max() >= len(CLASSES)):
            msg = f"{self._source}: {name} has labels outside 0 to {len(CLASSES) - 1}"
            raise DataError(msg)


class _ArrayUnpickler(pickle.Unpickler):
    """A pickle can name any function to call; these files need NumPy's array and nothing else."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        if (module, name) not in _ALLOWED:
            msg = f"{module}.{name} has no place in a batch"
            raise pickle.UnpicklingError(msg)
        return super().find_class(module, name)
