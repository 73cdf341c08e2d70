"""8-bit kernels in Numba: quantised inputs in pairs, integer dot products; not the gathering.

Two channels of a pixel lie side by side as 16-bit integers in a 32-bit word, which is what the
multiply-add of pairs (x86: vpmaddwd) takes; the lanes are pixels. A word holds ``q - q(0)``, in
-127 .. 127, so that a tap outside the image is the word 0, as `gather` writes it.

Shapes: G = ceil(C / 2) planes of words, P pixels, S words between planes, O out.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from bnas_deploy.engine.numba_jit import (
    Llvm,
    cgutils,
    compiled,
    element,
    fma32,
    load_vector,
    splat,
    store_vector,
)
from bnas_deploy.engine.numba_plan import Array

__all__ = ["LANES", "ROWS", "finish", "quantize_pairs", "sums"]

LANES = 16
ROWS = 8


def _pair_instruction(context: Llvm) -> tuple[str, int] | None:
    """Name and words of the target's multiply-add of pairs, as LLVM calls it, if it has one.

    LLVM finds the instruction in plain arithmetic only where both factors are loaded as vectors.
    """
    _, _, features = context.codegen().magic_tuple()
    for feature, name, words in (
        ("+avx512bw", "llvm.x86.avx512.pmaddw.d.512", 16),
        ("+avx2", "llvm.x86.avx2.pmadd.wd", 8),
    ):
        if feature in features.split(","):
            return name, words
    return None


def _shorts(builder: Llvm, words: Llvm, indices: range) -> Llvm:
    """Some of the 16-bit integers of a vector of words."""
    shorts = builder.bitcast(words, ir.VectorType(ir.IntType(16), 2 * LANES))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), list(indices))
    return builder.shuffle_vector(shorts, shorts, mask)


def _products(context: Llvm, builder: Llvm, a: Llvm, b: Llvm) -> Llvm:
    """``a0 * b0 + a1 * b1`` of the two 16-bit integers in each word, as words."""
    wide = ir.VectorType(ir.IntType(32), LANES)
    instruction = _pair_instruction(context)
    if instruction is None:
        first, second = (
            builder.mul(*(builder.sext(_shorts(builder, v, half), wide) for v in (a, b)))
            for half in (range(0, 2 * LANES, 2), range(1, 2 * LANES, 2))
        )
        return builder.add(first, second)
    name, words = instruction
    short, long = ir.VectorType(ir.IntType(16), 2 * words), ir.VectorType(ir.IntType(32), words)
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(long, [short, short]), name
    )
    parts = [
        builder.call(function, [_shorts(builder, v, range(at, at + 2 * words)) for v in (a, b)])
        for at in range(0, 2 * LANES, 2 * words)
    ]
    if len(parts) == 1:
        return parts[0]
    mask = ir.Constant(wide, list(range(LANES)))
    return builder.shuffle_vector(*parts, mask)


def _pair_tile(
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
    """``y[r, lane] += x[k, lane] . w[k, r]`` over `count` k, ROWS r, LANES lanes; . of two pairs.

    `x` and `y` have the same row stride.
    """

    def codegen(context: Llvm, builder: Llvm, signature: Llvm, args: Llvm) -> Llvm:
        x, x_at, stride, w, w_at, count, y, y_at = args
        x_type, _, _, w_type, _, _, y_type, _ = signature.args
        words = ir.VectorType(ir.IntType(32), LANES)
        totals = []
        for r in range(ROWS):
            at = builder.add(y_at, builder.mul(stride, stride.type(r)))
            target = element(context, builder, y_type, y, at)
            start = load_vector(builder, target, words)
            totals.append((cgutils.alloca_once_value(builder, start), target))
        with cgutils.for_range(builder, count) as loop:
            k = loop.index
            at = builder.add(x_at, builder.mul(k, stride))
            pixels = load_vector(builder, element(context, builder, x_type, x, at), words)
            for r, (total, _) in enumerate(totals):
                at = builder.add(w_at, builder.add(builder.mul(k, k.type(ROWS)), k.type(r)))
                weight = builder.load(element(context, builder, w_type, w, at))
                pairs = _products(context, builder, pixels, splat(builder, weight, LANES))
                builder.store(builder.add(builder.load(total), pairs), total)
        for total, target in totals:
            store_vector(builder, builder.load(total), target)
        return context.get_dummy_value()

    i = types.intp
    return types.void(x, i, i, w, i, i, y, i), codegen


pair_tile: Llvm = intrinsic(_pair_tile)


@compiled
def step_of(x: np.float32, scale: np.float32, zero: np.float32) -> np.int32:
    """One input as an integer 0 to 127; NaN gives 0."""
    t = fma32(x, scale, zero)
    t = t if t > np.float32(0) else np.float32(0)
    t = t if t < np.float32(127) else np.float32(127)
    # Rounds to an integer, ties to even: floats from 2^23 on have no bits behind the point.
    return np.int32((t + np.float32(8388608)) - np.float32(8388608))


@compiled
def quantize_pairs(x: Array, scale: Array, zero: Array, y: Array) -> None:
    """Words y (G, P) int32 of x (C, P); scale and zero are (2G,), with a last channel of zeros."""
    for g in range(y.shape[0]):
        low, out = 2 * g, y[g]
        a, b = scale[low], zero[low]
        outside, row = step_of(np.float32(0), a, b), x[low]
        for p in range(out.shape[0]):
            out[p] = (step_of(row[p], a, b) - outside) & 0xFFFF
        if low + 1 < x.shape[0]:
            a, b = scale[low + 1], zero[low + 1]
            outside, row = step_of(np.float32(0), a, b), x[low + 1]
            for p in range(out.shape[0]):
                out[p] |= np.int32(step_of(row[p], a, b) - outside) << np.int32(16)


@compiled
def sums(planes: Array, weight: Array, offset: Array, acc: Array) -> None:
    """Integer sums acc (O rounded up to ROWS, S) int32 of gathered planes (taps * G, S).

    weight: (O / ROWS, taps * G, ROWS) int32, words like those of `planes`. offset: (O,) int32.
    """
    count, stride = planes.shape
    for o in range(acc.shape[0]):
        acc[o, :] = offset[o]
    for at in range(0, stride - LANES, LANES):
        for tile in range(weight.shape[0]):
            pair_tile(
                planes, at, stride, weight, tile * count * ROWS, count, acc,
                tile * ROWS * stride + at,
            )  # fmt: skip


@compiled
def finish(acc: Array, scale: Array, relu: bool, y: Array) -> None:
    """``y = act(acc * scale[o])``, y (O, P) float32."""
    zero = np.float32(0)
    for o in range(y.shape[0]):
        s, row, out = scale[o], acc[o], y[o]
        for p in range(out.shape[0]):
            v = np.float32(row[p]) * s
            if relu:
                v = v if v > zero else zero
            out[p] = v
