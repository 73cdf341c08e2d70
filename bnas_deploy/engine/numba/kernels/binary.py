"""Numba kernels: binary dot products and their output stages.

Bits are held in byte planes, (G, S) uint8: byte [g, p] has channels 8g .. 8g+7 of pixel p, the
first in its least significant bit, -1 as 1. The lanes of the vector code are pixels, so that
nothing is summed across lanes and odd channel counts waste little. S is the number of pixels
rounded up to whole vectors, plus one, so that planes do not share cache sets. G = ceil(C / 8); K =
kh*kw*G bytes per row.
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
    load_vector,
    splat,
    store_vector,
    vector_call,
)
from bnas_deploy.engine.numba.plan import Array

__all__ = [
    "CHUNK",
    "LANES",
    "ROWS",
    "affine_stage",
    "binarize",
    "dots",
    "scale_stage",
    "threshold_stage",
]

LANES = 64
ROWS = 4
CHUNK = 31  # bytes of 8 bits whose counts a byte lane can hold: 31 * 8 = 248


def _popcount_tile(
    typing_context: Llvm,
    a: Llvm,
    a_at: Llvm,
    stride: Llvm,
    w: Llvm,
    w_at: Llvm,
    count: Llvm,
    dot: Llvm,
    dot_at: Llvm,
) -> Llvm:
    """``dot[r, lane] -= 2 * popcount(a[k, lane] ^ w[k, r])`` over `count` k, ROWS r, LANES lanes.

    `a` and `dot` have the same row stride. A weight byte is stored four times in a 32-bit word, for
    which x86 has a broadcast that costs nothing.
    """

    def codegen(context: Llvm, builder: Llvm, signature: Llvm, args: Llvm) -> Llvm:
        a, a_at, stride, w, w_at, count, dot, dot_at = args
        a_type, _, _, w_type, _, _, dot_type, _ = signature.args
        octets = ir.VectorType(ir.IntType(8), LANES)
        words = ir.VectorType(ir.IntType(32), LANES)
        zero = ir.Constant(octets, [0] * LANES)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(ROWS)]
        with cgutils.for_range(builder, count) as loop:
            k = loop.index
            at = builder.add(a_at, builder.mul(k, stride))
            pixels = load_vector(builder, element(context, builder, a_type, a, at), octets)
            for r, total in enumerate(sums):
                at = builder.add(w_at, builder.add(builder.mul(k, k.type(ROWS)), k.type(r)))
                weight = builder.load(element(context, builder, w_type, w, at))
                weight = builder.bitcast(splat(builder, weight, LANES // 4), octets)
                ones = vector_call(builder, f"llvm.ctpop.v{LANES}i8", builder.xor(pixels, weight))
                builder.store(builder.add(builder.load(total), ones), total)
        for r, total in enumerate(sums):
            at = builder.add(dot_at, builder.mul(stride, stride.type(r)))
            target = element(context, builder, dot_type, dot, at)
            twice = builder.shl(
                builder.zext(builder.load(total), words), ir.Constant(words, [1] * LANES)
            )
            store_vector(builder, builder.sub(load_vector(builder, target, words), twice), target)
        return context.get_dummy_value()

    i = types.intp
    return types.void(a, i, i, w, i, i, dot, i), codegen


popcount_tile: Llvm = intrinsic(_popcount_tile)


@compiled
def dots(planes: Array, weight: Array, base: Array, pattern: Array, dot: Array) -> None:
    """Dot products (O, S) int32 of gathered planes (K, S) and weights, O rounded up to ROWS.

    weight: (O / ROWS, K, ROWS) uint32. base: (U, O, LANES) int32, the dot products were all bits
    equal; vector v of pixels starts from base[pattern[v]].
    """
    count, stride = planes.shape
    for v in range(pattern.shape[0]):
        at, start = v * LANES, base[pattern[v]]
        for row in range(dot.shape[0]):
            for i in range(LANES):
                dot[row, at + i] = start[row, i]
        for tile in range(weight.shape[0]):
            for k in range(0, count, CHUNK):
                popcount_tile(
                    planes, k * stride + at, stride, weight, (tile * count + k) * ROWS,
                    min(CHUNK, count - k), dot, tile * ROWS * stride + at,
                )  # fmt: skip


@compiled
def threshold_stage(dot: Array, threshold: Array, flip: Array, y: Array) -> None:
    """Byte planes y (G, S) of ``(dot < threshold) != flip`` (-1 as 1); flip is (O,) of 0 and 1."""
    y[:] = 0
    for o in range(len(threshold)):
        t, mask, plane = threshold[o], np.uint8(1 << (o & 7)), y[o >> 3]
        row = dot[o]
        if flip[o]:
            for p in range(plane.shape[0]):
                plane[p] |= mask if row[p] >= t else np.uint8(0)
        else:
            for p in range(plane.shape[0]):
                plane[p] |= mask if row[p] < t else np.uint8(0)


@compiled
def scale_stage(dot: Array, scale: Array, relu: bool, y: Array, add: bool) -> None:
    """``v = act(dot * scale)`` into y (O, P) float32, or added onto it."""
    zero = np.float32(0)
    for o in range(len(scale)):
        s, row, out = scale[o], dot[o], y[o]
        for p in range(out.shape[0]):
            v = np.float32(row[p]) * s
            if relu:
                v = v if v > zero else zero
            out[p] = out[p] + v if add else v


@compiled
def affine_stage(dot: Array, scale: Array, shift: Array, relu: bool, y: Array, add: bool) -> None:
    """``v = act(dot * scale + shift)``, two roundings, into y (O, P) float32 or added onto it."""
    zero = np.float32(0)
    for o in range(len(scale)):
        s, t, row, out = scale[o], shift[o], dot[o], y[o]
        for p in range(out.shape[0]):
            v = np.float32(row[p]) * s + t
            if relu:
                v = v if v > zero else zero
            out[p] = out[p] + v if add else v


@compiled
def binarize(x: Array, threshold: Array, flip: Array, y: Array) -> None:
    """Byte planes y (G, S) of float32 x (C, P): bit set where ``(x >= threshold) == flip``."""
    y[:] = 0
    for c in range(len(threshold)):
        t, mask, plane = threshold[c], np.uint8(1 << (c & 7)), y[c >> 3]
        row = x[c]
        if flip[c]:
            for p in range(row.shape[0]):
                plane[p] |= mask if row[p] >= t else np.uint8(0)
        else:
            for p in range(row.shape[0]):
                plane[p] |= np.uint8(0) if row[p] >= t else mask
