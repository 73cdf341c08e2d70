"""Numba kernels: activations, and max pools of bits.

A float value is (C, P) float32, P = H*W pixels, a bits value (G, S) uint8 byte planes.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.numba.jit import compiled, fma32
from bnas_deploy.engine.numba.plan import Array
from bnas_deploy.format.steps import Pair

__all__ = ["clip", "hard_sigmoid", "pool_bits", "prelu", "sigmoid"]


@compiled
def prelu(x: Array, slope: Array, y: Array) -> None:
    """``y = max(x, 0) + slope[c] * min(x, 0)``."""
    zero = np.float32(0)
    for c in range(x.shape[0]):
        s, row, out = slope[c], x[c], y[c]
        for p in range(row.shape[0]):
            v = row[p]
            out[p] = (v if v > zero else zero) + s * (v if v < zero else zero)


@compiled
def clip(x: Array, low: Array, high: Array, y: Array) -> None:
    """``y = min(max(x, low[c]), high[c])``."""
    for c in range(x.shape[0]):
        a, b, row, out = low[c], high[c], x[c], y[c]
        for p in range(row.shape[0]):
            t = row[p] if row[p] > a else a
            out[p] = t if t < b else b


@compiled
def sigmoid(x: Array, numerator: Array, denominator: Array, y: Array) -> None:
    """A quotient of polynomials of the square, coefficients ascending, float32."""
    zero, half, one, far = np.float32(0), np.float32(0.5), np.float32(1), np.float32(18)
    for c in range(x.shape[0]):
        row, out = x[c], y[c]
        for p in range(row.shape[0]):
            t = row[p] if row[p] > -far else -far
            t = t if t < far else far
            u = t * t
            a, b = numerator[-1], denominator[-1]
            for i in range(len(numerator) - 2, -1, -1):
                a = fma32(a, u, numerator[i])
                b = fma32(b, u, denominator[i])
            v = t * a / b + half
            v = v if v > zero else zero
            out[p] = v if v < one else one


@compiled
def hard_sigmoid(x: Array, terms: Array, y: Array) -> None:
    """``y = max(0, min(1, x * terms[0] + terms[1]))``."""
    zero, one, slope, middle = np.float32(0), np.float32(1), terms[0], terms[1]
    for c in range(x.shape[0]):
        row, out = x[c], y[c]
        for p in range(row.shape[0]):
            t = fma32(row[p], slope, middle)
            t = t if t > zero else zero
            out[p] = t if t < one else one


@compiled
def pool_bits(
    x: Array, inverted: Array, size: Pair, out: Pair, kernel: Pair, stride: Pair,
    padding: tuple[int, ...], y: Array,
) -> None:  # fmt: skip
    """And of a window's negative bits inside the image, between two inversions (G,)."""
    for g in range(x.shape[0]):
        invert = inverted[g]
        for oy in range(out[0]):
            top = oy * stride[0] - padding[0]
            for ox in range(out[1]):
                left = ox * stride[1] - padding[1]
                bits = np.uint8(255)
                for iy in range(max(top, 0), min(top + kernel[0], size[0])):
                    for ix in range(max(left, 0), min(left + kernel[1], size[1])):
                        bits &= x[g, iy * size[1] + ix] ^ invert
                y[g, oy * out[1] + ox] = bits ^ invert
