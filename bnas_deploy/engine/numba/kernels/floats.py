"""Numba kernels in float32: convolution, linear, pools and elementwise steps.

A value of C channels is (C, P) float32, P = H*W pixels. S is P rounded up to whole vectors, plus
one.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from bnas_deploy.engine.numba.jit import (
    Llvm,
    cgutils,
    compiled,
    element,
    fma32,
    load_vector,
    splat,
    store_vector,
    vector_call,
)
from bnas_deploy.engine.numba.kernels.gather import span
from bnas_deploy.engine.numba.plan import Array
from bnas_deploy.format.steps import Pair

__all__ = ["LANES", "ROWS", "affine", "avg_pool", "conv", "global_avg_pool", "linear", "max_pool"]

LANES = 16
ROWS = 4


def _fma_tile(
    typing_context: Llvm,
    x: Llvm,
    x_at: Llvm,
    stride: Llvm,
    w: Llvm,
    w_at: Llvm,
    count: Llvm,
    y: Llvm,
    y_at: Llvm,
) -> Llvm:
    """``y[r, lane] = fma(w[k, r], x[k, lane], y[r, lane])``, k ascending, ROWS r, LANES lanes."""

    def codegen(context: Llvm, builder: Llvm, signature: Llvm, args: Llvm) -> Llvm:
        x, x_at, stride, w, w_at, count, y, y_at = args
        x_type, _, _, w_type, _, _, y_type, _ = signature.args
        floats = ir.VectorType(ir.FloatType(), LANES)
        sums = []
        for r in range(ROWS):
            at = builder.add(y_at, builder.mul(stride, stride.type(r)))
            target = element(context, builder, y_type, y, at)
            start = load_vector(builder, target, floats)
            sums.append((cgutils.alloca_once_value(builder, start), target))
        with cgutils.for_range(builder, count) as loop:
            k = loop.index
            at = builder.add(x_at, builder.mul(k, stride))
            pixels = load_vector(builder, element(context, builder, x_type, x, at), floats)
            for r, (total, _) in enumerate(sums):
                at = builder.add(w_at, builder.add(builder.mul(k, k.type(ROWS)), k.type(r)))
                weight = builder.load(element(context, builder, w_type, w, at))
                weight = splat(builder, weight, LANES)
                args = (weight, pixels, builder.load(total))
                builder.store(vector_call(builder, f"llvm.fma.v{LANES}f32", *args), total)
        for total, target in sums:
            store_vector(builder, builder.load(total), target)
        return context.get_dummy_value()

    i = types.intp
    return types.void(x, i, i, w, i, i, y, i), codegen


fma_tile: Llvm = intrinsic(_fma_tile)


@compiled
def conv(planes: Array, weight: Array, bias: Array, relu: bool, acc: Array, y: Array) -> None:
    """Convolution of gathered planes (C*kh*kw, S) into y (O, P).

    weight: (O / ROWS, C*kh*kw, ROWS) float32. bias: (O,). acc: scratch (O rounded up to ROWS, S).
    """
    count, stride = planes.shape
    zero = np.float32(0)
    for o in range(acc.shape[0]):
        acc[o, :] = bias[o]
    for at in range(0, stride - LANES, LANES):
        for tile in range(weight.shape[0]):
            fma_tile(
                planes, at, stride, weight, tile * count * ROWS, count, acc,
                tile * ROWS * stride + at,
            )  # fmt: skip
    for o in range(y.shape[0]):
        row, out = acc[o], y[o]
        for p in range(out.shape[0]):
            v = row[p]
            if relu:
                v = v if v > zero else zero
            out[p] = v


@compiled
def linear(x: Array, weight: Array, bias: Array, y: Array) -> None:
    """``y = weight x + bias``, k ascending; x (K,), weight (K, O), bias and y (O,)."""
    y[:] = bias
    for k in range(weight.shape[0]):
        row = weight[k]
        for o in range(row.shape[0]):
            y[o] = fma32(row[o], x[k], y[o])


@compiled
def affine(x: Array, scale: Array, shift: Array, y: Array) -> None:
    """``y = x * scale[c] + shift[c]`` with two roundings."""
    for c in range(x.shape[0]):
        a, b = scale[c], shift[c]
        row, out = x[c], y[c]
        for p in range(row.shape[0]):
            out[p] = row[p] * a + b


@compiled
def relu(x: Array, y: Array) -> None:
    """``y = x if x > 0 else +0``."""
    zero = np.float32(0)
    for c in range(x.shape[0]):
        row, out = x[c], y[c]
        for p in range(row.shape[0]):
            out[p] = row[p] if row[p] > zero else zero


@compiled
def max_pool(
    x: Array, size: Pair, out: Pair, kernel: Pair, stride: Pair, padding: tuple[int, ...], y: Array
) -> None:
    """Maximum of the pixels of each window that are inside the image."""
    rows = np.empty((size[0], out[1]), np.float32)  # the maxima of each row of the image
    for c in range(x.shape[0]):
        for iy in range(size[0]):
            row = rows[iy]
            row[:] = -np.inf
            image = x[c, iy * size[1] : (iy + 1) * size[1]]
            for kx in range(kernel[1]):
                right = kx - padding[1]
                first, last = span(size[1], out[1], stride[1], right)
                if stride[1] == 2:  # a constant, of which LLVM makes vectors
                    keep_greater(image[2 * first + right :], 2, row[first:last])
                else:
                    keep_greater(image[stride[1] * first + right :], stride[1], row[first:last])
        for oy in range(out[0]):
            top = oy * stride[0] - padding[0]
            row = y[c, oy * out[1] : (oy + 1) * out[1]]
            row[:] = -np.inf
            for iy in range(max(top, 0), min(top + kernel[0], size[0])):
                keep_greater(rows[iy], 1, row)


@compiled
def keep_greater(x: Array, stride: int, greatest: Array) -> None:
    """``m = x if x > m else m``: the first of equals, so that the order of zeros is kept."""
    for i in range(greatest.shape[0]):
        v, m = x[i * stride], greatest[i]
        greatest[i] = v if v > m else m


@compiled
def avg_pool(
    x: Array, size: Pair, out: Pair, kernel: Pair, stride: Pair, padding: tuple[int, ...], y: Array
) -> None:
    """Mean of the pixels of each window that are inside the image."""
    for c in range(x.shape[0]):
        for oy in range(out[0]):
            top = oy * stride[0] - padding[0]
            for ox in range(out[1]):
                left = ox * stride[1] - padding[1]
                s, count = np.float32(0), np.float32(0)
                for iy in range(max(top, 0), min(top + kernel[0], size[0])):
                    for ix in range(max(left, 0), min(left + kernel[1], size[1])):
                        s += x[c, iy * size[1] + ix]
                        count += np.float32(1)
                y[c, oy * out[1] + ox] = s / count


@compiled
def global_avg_pool(x: Array, y: Array) -> None:
    """Mean of each channel by 16 partial sums, added in halves; x (C, P), y (C,)."""
    pixels = x.shape[1]
    sums = np.empty(16, np.float32)
    for c in range(x.shape[0]):
        sums[:] = 0
        for start in range(0, pixels, 16):
            for j in range(min(16, pixels - start)):
                sums[j] += x[c, start + j]
        half = 8
        while half > 0:
            for j in range(half):
                sums[j] += sums[j + half]
            half //= 2
        y[c] = sums[0] / np.float32(pixels)
