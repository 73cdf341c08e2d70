"""Repacks the tensors of a file for the Numba kernels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.numba.plan import Array
from bnas_deploy.format.program import PackedModel

__all__ = ["copy", "flips", "in_tiles", "pixels", "words"]


def copy(model: PackedModel, name: str) -> Array:
    """A tensor that can be written to."""
    # Numba compiles once more for read-only arrays, which tensors of a file are.
    return np.array(model.tensors[name])


def words(model: PackedModel, name: str) -> npt.NDArray[np.uint64]:
    """Packed bits in the byte order of this machine."""
    return model.tensors[name].astype(np.uint64, copy=False)


def flips(model: PackedModel, name: str, channels: int) -> Array:
    """One uint8, 0 or 1, a channel."""
    return unpack_rows(words(model, name), channels).astype(np.uint8)


def pixels(model: PackedModel, name: str) -> tuple[int, int]:
    """Height and width of a value."""
    return model.program.values[name].shape[1:]


def in_tiles(rows: Array, height: int) -> Array:
    """(O, K) to (O / height, K, height), zeros added to fill the last tile."""
    o, k = rows.shape
    full = np.zeros((-(-o // height) * height, k), rows.dtype)
    full[:o] = rows
    return np.ascontiguousarray(full.reshape(-1, height, k).transpose(0, 2, 1))
