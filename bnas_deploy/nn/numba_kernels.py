"""Loops over bfloat16 activations for `numba_unit`: sums, signs and gradients.

Shapes: x, grad and out are (M, C) bit patterns of bfloat16, a row a position; a, b, k1 and k2
are (C,) float32; sums are (blocks, 2, C) float32, a block being `block` rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from bnas_deploy.numba_cache import jitted

__all__ = [
    "INFINITY",
    "ONE",
    "Bits",
    "Floats",
    "input_gradient",
    "masked_sums",
    "moments",
    "relu_gradient",
    "signs",
    "values",
]

Bits = npt.NDArray[np.uint16]
Floats = npt.NDArray[np.float32]
F = TypeVar("F", bound=Callable[..., Any])

ONE, INFINITY = np.float32(1), np.float32(np.inf)

_ZERO, _NOTHING = np.float32(0), np.uint16(0)
_MINUS_ONE, _PLUS_ONE = np.uint16(0xBF80), np.uint16(0x3F80)  # in bfloat16
_SHIFT, _ROUND, _LOW = np.uint32(16), np.uint32(0x7FFF), np.uint32(1)


def _parallel(function: F) -> F:
    """Compile on first use, keep the result on disk, run on all threads without the GIL.

    Reassociation lets the sums run in vector registers; NaN and infinity keep their meaning.
    """
    fastmath = {"reassoc", "contract", "nsz", "arcp"}
    return cast(
        F, jitted(function, parallel=True, nogil=True, error_model="numpy", fastmath=fastmath)
    )


def _inlined(function: F) -> F:
    return cast(F, numba.njit(inline="always")(function))


@_inlined
def _load(bits: np.uint16) -> np.float32:
    return np.uint32(np.uint32(bits) << _SHIFT).view(np.float32)


@_inlined
def _store(value: np.float32) -> np.uint16:
    bits = np.float32(value).view(np.uint32)
    return np.uint16((bits + _ROUND + ((bits >> _SHIFT) & _LOW)) >> _SHIFT)


@_inlined
def _masked(bits: np.uint16, y: np.float32, limit: np.float32) -> np.float32:
    return _load(bits) if abs(y) < limit else _ZERO


@_parallel
def moments(x: Bits, block: int, sums: Floats) -> None:
    """Add up x and its squares over each block, into sums that are zero."""
    rows, channels = x.shape
    for k in numba.prange(sums.shape[0]):
        total, square = sums[k, 0], sums[k, 1]
        for m in range(k * block, min(rows, (k + 1) * block)):
            for c in range(channels):
                value = _load(x[m, c])
                total[c] += value
                square[c] += value * value


@_parallel
def signs(x: Bits, a: Floats, b: Floats, out: Bits) -> None:
    """Write the signs of a x + b."""
    rows, channels = x.shape
    for m in numba.prange(rows):
        for c in range(channels):
            out[m, c] = _MINUS_ONE if _load(x[m, c]) * a[c] + b[c] < _ZERO else _PLUS_ONE


@_parallel
def values(x: Bits, a: Floats, b: Floats, out: Bits) -> None:
    """Write a x + b."""
    rows, channels = x.shape
    for m in numba.prange(rows):
        for c in range(channels):
            out[m, c] = _store(_load(x[m, c]) * a[c] + b[c])


@_parallel
def masked_sums(
    x: Bits, grad: Bits, a: Floats, b: Floats, limit: np.float32, block: int, sums: Floats
) -> None:
    """Add up d and d x over each block; d is grad where |a x + b| < limit, else zero."""
    rows, channels = x.shape
    for k in numba.prange(sums.shape[0]):
        total, product = sums[k, 0], sums[k, 1]
        for m in range(k * block, min(rows, (k + 1) * block)):
            for c in range(channels):
                value = _load(x[m, c])
                d = _masked(grad[m, c], value * a[c] + b[c], limit)
                total[c] += d
                product[c] += d * value


@_parallel
def input_gradient(
    x: Bits, grad: Bits, a: Floats, b: Floats, limit: np.float32, k1: Floats, k2: Floats, out: Bits
) -> None:
    """Write a d + k1 + k2 x, with d as in `masked_sums`."""
    rows, channels = x.shape
    for m in numba.prange(rows):
        for c in range(channels):
            value = _load(x[m, c])
            d = _masked(grad[m, c], value * a[c] + b[c], limit)
            out[m, c] = _store(d * a[c] + k1[c] + value * k2[c])


@_parallel
def relu_gradient(y: Bits, grad: Bits, first: int, out: Bits) -> None:
    """Write grad where y > 0, else zero; grad's channels begin at `first` of its rows."""
    rows, channels = y.shape
    for m in numba.prange(rows):
        # A row of its own spares the check for negative indices, which stops vectorisation.
        slice_ = grad[m, first : first + channels]
        for c in range(channels):
            value = slice_[c]
            out[m, c] = value if _load(y[m, c]) > _ZERO else _NOTHING
