"""Numba kernels in 8 bits: quantised inputs in quads, integer dot products.

Four channels of a pixel lie side by side as bytes in a 32-bit word, a quad, which is what the dot
products of four bytes take; the lanes are pixels. Outside the image lies what a zero is quantised
to.

Shapes: G = ceil(C / 4) planes of quads, P pixels, S quads between planes, O out.
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
)
from bnas_deploy.engine.numba.plan import Array

__all__ = ["LANES", "ROWS", "finish", "quantize_quads", "sums"]

LANES = 16
ROWS = 8
WORDS = ir.VectorType(ir.IntType(32), LANES)

# Feature, and 32-bit lanes of its instructions, best first.
DOTS_OF_FOUR = (("+avx512vnni", 16), ("+avxvnni", 8))
PRODUCTS_OF_BYTES = (("+avx512bw", 16), ("+avx2", 8))


def _find(context: Llvm, kinds: tuple[tuple[str, int], ...]) -> int | None:
    """Lanes of the first kind of instruction that the target has."""
    _, _, features = context.codegen().magic_tuple()
    return next((n for feature, n in kinds if feature in features.split(",")), None)


def _add_dots(context: Llvm, builder: Llvm, total: Llvm, quads: Llvm, weights: Llvm) -> Llvm:
    """``total + q0 * w0 + .. + q3 * w3`` of the bytes in each word, q 0 to 127, w signed.

    LLVM finds neither instruction in plain arithmetic.
    """
    for kinds, add in ((DOTS_OF_FOUR, _one_instruction), (PRODUCTS_OF_BYTES, _three_instructions)):
        lanes = _find(context, kinds)
        if lanes is not None:
            parts = [
                add(
                    builder, lanes, *(_part(builder, v, at, lanes) for v in (total, quads, weights))
                )
                for at in range(0, LANES, lanes)
            ]
            return parts[0] if len(parts) == 1 else _shuffle(builder, parts, range(LANES))
    return builder.add(total, _plain_dots(builder, quads, weights))


def _shuffle(builder: Llvm, parts: list[Llvm], indices: range) -> Llvm:
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), list(indices))
    return builder.shuffle_vector(parts[0], parts[-1], mask)


def _part(builder: Llvm, words: Llvm, at: int, lanes: int) -> Llvm:
    return words if lanes == LANES else _shuffle(builder, [words], range(at, at + lanes))


def _call(builder: Llvm, name: str, result: Llvm, *args: Llvm) -> Llvm:
    kind = ir.FunctionType(result, [x.type for x in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def _one_instruction(builder: Llvm, lanes: int, total: Llvm, quads: Llvm, weights: Llvm) -> Llvm:
    name = f"llvm.x86.avx512.vpdpbusd.{32 * lanes}"
    return _call(builder, name, total.type, total, quads, weights)


def _three_instructions(builder: Llvm, lanes: int, total: Llvm, quads: Llvm, weights: Llvm) -> Llvm:
    """Two products are at most 2 * 127 * 128, so that their 16-bit sum never saturates."""
    bytes_, shorts = (ir.VectorType(ir.IntType(n), 32 * lanes // n) for n in (8, 16))
    multiply, pair = (
        ("llvm.x86.avx512.pmaddubs.w.512", "llvm.x86.avx512.pmaddw.d.512")
        if lanes == 16
        else ("llvm.x86.avx2.pmadd.ub.sw", "llvm.x86.avx2.pmadd.wd")
    )
    args = builder.bitcast(quads, bytes_), builder.bitcast(weights, bytes_)
    pairs = _call(builder, multiply, shorts, *args)
    ones = ir.Constant(shorts, [1] * (2 * lanes))
    return builder.add(total, _call(builder, pair, total.type, pairs, ones))


def _plain_dots(builder: Llvm, quads: Llvm, weights: Llvm) -> Llvm:
    """As `_three_instructions`, by vector operations that every target has."""
    shorts = ir.VectorType(ir.IntType(16), 2 * LANES)
    eight = ir.Constant(shorts, [8] * (2 * LANES))
    q, w = builder.bitcast(quads, shorts), builder.bitcast(weights, shorts)
    even = builder.mul(
        builder.and_(q, ir.Constant(shorts, [0xFF] * (2 * LANES))),
        builder.ashr(builder.shl(w, eight), eight),
    )
    odd = builder.mul(builder.lshr(q, eight), builder.ashr(w, eight))
    pairs = builder.bitcast(builder.add(even, odd), WORDS)
    sixteen = ir.Constant(WORDS, [16] * LANES)
    low = builder.ashr(builder.shl(pairs, sixteen), sixteen)
    return builder.add(low, builder.ashr(pairs, sixteen))


def _quad_tile(
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
    """``y[r, lane] += x[k, lane] . w[k, r]`` over `count` k, ROWS r, LANES lanes; . of two quads.

    `x` and `y` have the same row stride.
    """

    def codegen(context: Llvm, builder: Llvm, signature: Llvm, args: Llvm) -> Llvm:
        x, x_at, stride, w, w_at, count, y, y_at = args
        x_type, _, _, w_type, _, _, y_type, _ = signature.args
        totals = []
        for r in range(ROWS):
            at = builder.add(y_at, builder.mul(stride, stride.type(r)))
            target = element(context, builder, y_type, y, at)
            start = load_vector(builder, target, WORDS)
            totals.append((cgutils.alloca_once_value(builder, start), target))
        with cgutils.for_range(builder, count) as loop:
            k = loop.index
            at = builder.add(x_at, builder.mul(k, stride))
            pixels = load_vector(builder, element(context, builder, x_type, x, at), WORDS)
            for r, (total, _) in enumerate(totals):
                at = builder.add(w_at, builder.add(builder.mul(k, k.type(ROWS)), k.type(r)))
                weight = builder.load(element(context, builder, w_type, w, at))
                words = splat(builder, weight, LANES)
                dots = _add_dots(context, builder, builder.load(total), pixels, words)
                builder.store(dots, total)
        for total, target in totals:
            store_vector(builder, builder.load(total), target)
        return context.get_dummy_value()

    i = types.intp
    return types.void(x, i, i, w, i, i, y, i), codegen


quad_tile: Llvm = intrinsic(_quad_tile)


@compiled
def step_of(x: np.float32, scale: np.float32, zero: np.float32) -> np.int32:
    """One input as an integer 0 to 127; NaN gives 0."""
    t = fma32(x, scale, zero)
    t = t if t > np.float32(0) else np.float32(0)
    t = t if t < np.float32(127) else np.float32(127)
    # Rounds to an integer, ties to even: floats from 2^23 on have no bits behind the point.
    return np.int32((t + np.float32(8388608)) - np.float32(8388608))


@compiled
def quantize_quads(x: Array, scale: Array, zero: Array, y: Array) -> None:
    """Quads y (G, P) int32 of x (C, P); scale and zero are (C,)."""
    for g in range(y.shape[0]):
        out = y[g]
        for i in range(4):
            c = 4 * g + i
            if c < x.shape[0]:
                a, b, row, shift = scale[c], zero[c], x[c], np.int32(8 * i)
                for p in range(out.shape[0]):
                    before = out[p] if i > 0 else np.int32(0)
                    out[p] = before | (step_of(row[p], a, b) << shift)


@compiled
def sums(planes: Array, weight: Array, offset: Array, acc: Array) -> None:
    """Integer sums acc (O rounded up to ROWS, S) int32 of gathered planes (taps * G, S).

    weight: (O / ROWS, taps * G, ROWS) int32, quads like those of `planes`. offset: (O,) int32.
    """
    count, stride = planes.shape
    for o in range(acc.shape[0]):
        acc[o, :] = offset[o]
    for at in range(0, stride - LANES, LANES):
        for tile in range(weight.shape[0]):
            quad_tile(
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
