"""float32 arithmetic that NumPy lacks: fused multiply-add, relu."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from bnas_deploy.engine.runner import Floats

__all__ = ["SIGMOID_P", "SIGMOID_Q", "fma", "prelu", "relu", "sigmoid"]

SIGMOID_P = (
    0.2499999701976776, 0.008358248509466648, 5.447783041745424e-05, 7.996804640697519e-08,
    1.2875206109597137e-11,
)  # fmt: skip
SIGMOID_Q = (
    1.0, 0.11676623672246933, 0.0016151234740391374, 5.111538030178053e-06, 3.00885072412882e-09,
)  # fmt: skip


PIECE = 2**18
"""Elements at a time, so that what is held between the operations has bounds."""


def _in_pieces(function: Callable[..., Floats]) -> Callable[..., Floats]:
    """Let a function of single elements, whose arguments are broadcast, see some at a time."""

    @functools.wraps(function)
    def pieces(*arguments: Floats) -> Floats:
        shape = np.broadcast_shapes(*(np.shape(x) for x in arguments))
        if math.prod(shape) <= PIECE:
            return function(*arguments)
        out = np.empty(shape, np.float32)
        _fill(out, [np.broadcast_to(x, shape) for x in arguments], function)
        return out

    return pieces


def _fill(out: Floats, arguments: list[Floats], function: Callable[..., Floats]) -> None:
    """Split along the longest axis until a piece is small enough."""
    if out.size <= PIECE:
        out[...] = function(*arguments)
        return
    axis = int(np.argmax(out.shape))
    half = out.shape[axis] // 2
    for part in (slice(half), slice(half, None)):
        index = (*(slice(None),) * axis, part)
        _fill(out[index], [x[index] for x in arguments], function)


@_in_pieces
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


@_in_pieces
def relu(x: Floats) -> Floats:
    """``x`` where ``x > 0``, else +0 (also for -0 and NaN)."""
    return np.where(x > 0, x, np.float32(0))


@_in_pieces
def prelu(x: Floats, slope: Floats) -> Floats:
    """``max(x, 0) + slope * min(x, 0)``, two roundings; NaN counts as 0."""
    return relu(x) + slope * np.where(x < 0, x, np.float32(0))


@_in_pieces
def sigmoid(x: Floats) -> Floats:
    """A quotient of polynomials, as docs/format.md lists its operations."""
    t = np.where(x > -18, x, np.float32(-18))
    t = np.where(t < 18, t, np.float32(18))
    u = t * t
    y = t * _polynomial(u, SIGMOID_P) / _polynomial(u, SIGMOID_Q) + np.float32(0.5)
    y = relu(y)
    return np.where(y < 1, y, np.float32(1))


def _polynomial(u: Floats, coefficients: tuple[float, ...]) -> Floats:
    total = np.full_like(u, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = fma(total, u, np.full_like(u, c))
    return total
