"""Numba kernels of the activation scale: mean magnitude and multiplication.

A value of C channels is (C, P) float32, P = H*W pixels.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.numba.jit import compiled, fma32
from bnas_deploy.engine.numba.plan import Array

__all__ = ["mean_magnitude", "multiply"]


@compiled
def mean_magnitude(x: Array, scale: Array, shift: Array, terms: Array, y: Array) -> None:
    """Mean of ``|x * scale[c] + shift[c]|``, c ascending, into y (P,); NaN counts as 0."""
    zero = np.float32(0)
    y[:] = zero
    for c in range(x.shape[0]):
        a, b, row = scale[c], shift[c], x[c]
        for p in range(row.shape[0]):
            t = fma32(row[p], a, b)
            m = t if t > zero else -t
            y[p] = y[p] + (m if m > zero else zero)
    factor, rest = terms[0], terms[1]
    for p in range(y.shape[0]):
        y[p] = fma32(y[p], factor, rest)


@compiled
def multiply(x: Array, factor: Array, y: Array) -> None:
    """``y = x * factor``; factor (C or 1, P or 1)."""
    for c in range(x.shape[0]):
        row, out, by = x[c], y[c], factor[min(c, factor.shape[0] - 1)]
        if by.shape[0] == 1:
            same = by[0]
            for p in range(row.shape[0]):
                out[p] = row[p] * same
        else:
            for p in range(row.shape[0]):
                out[p] = row[p] * by[p]
