"""float32 arithmetic that NumPy lacks: fused multiply-add, relu; not a step of a program."""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.runner import Floats

__all__ = ["fma", "relu"]


def fma(a: Floats, b: Floats, c: Floats) -> Floats:
    """``a * b + c`` with a single rounding to float32, nearest even, elementwise.

    The product of two float32 is exact in float64 (48 of 53 bits, exponents from -298 to 255). The
    sum is not, and rounding it twice could be wrong at a tie, so it is rounded to odd first: where
    the float64 sum s misses the true sum by an error e != 0 (two-sum gives e exactly, Knuth), s is
    replaced by that of its two neighbours around the true sum whose last bit is 1. A value so made
    is never a tie of the narrower format and lies on the true sum's side of each, so that the
    second rounding gives what one rounding would (Boldo and Melquiond 2008: 53 >= 24 + 2 bits
    suffice, for subnormal results all the more).
    """
    p = np.multiply(a, b, dtype=np.float64)
    c64 = np.asarray(c, np.float64)
    s = np.asarray(p + c64)
    t = s - p
    e = (p - (s - t)) + (c64 - t)
    even = (s.view(np.int64) & 1) == 0
    inexact = np.isfinite(s) & (e != 0)
    away = (e > 0) == (s > 0)  # the true sum has the larger magnitude
    toward = np.where(away, 1, -1)  # integers order the magnitudes of floats
    odd = s.view(np.int64) + np.where(inexact & even, toward, 0)
    return odd.view(np.float64).astype(np.float32)


def relu(x: Floats) -> Floats:
    """``x`` where ``x > 0``, else +0 (also for -0 and NaN)."""
    return np.where(x > 0, x, np.float32(0))
