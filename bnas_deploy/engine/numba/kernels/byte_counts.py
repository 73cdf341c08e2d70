"""Numba kernels: binary convolution that keeps its counts in bytes.

``dot = base - 2 count``, so ``dot >= t`` means ``count < room``, and ReLU(dot) is twice
``max(room - count, 0)``: room - count, kept at 0 or above, is all that a stage asks for. It takes
the counts in any number of parts, as the subtraction saturates. Rooms are uint8, or uint16 where
that does not hold them.

Shapes as in `binary`. U patterns of rooms: vectors of pixels that see the same taps outside
the image share theirs.
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
from bnas_deploy.engine.numba.kernels.binary import CHUNK, LANES
from bnas_deploy.engine.numba.plan import Array

__all__ = ["ROWS", "leave", "mark", "scale_left"]

ROWS = 8
HALF = ROWS // 2


def _constant(vector: Llvm, value: int) -> Llvm:
    return ir.Constant(vector, [value] * LANES)


def _add_counts(builder: Llvm, pixels: Llvm, weight: Llvm, sums: Llvm) -> None:
    """``sums[r] += popcount(pixels ^ weight[r])``, a weight byte four times in a 32-bit word."""
    for r, total in enumerate(sums):
        word = builder.load(builder.gep(weight, [ir.IntType(64)(r)]))
        octets = builder.bitcast(splat(builder, word, LANES // 4), pixels.type)
        ones = vector_call(builder, f"llvm.ctpop.v{LANES}i8", builder.xor(pixels, octets))
        builder.store(builder.add(builder.load(total), ones), total)


def _left(context: Llvm, builder: Llvm, signature: Llvm, args: Llvm, rows: int) -> list[Llvm]:
    """``max(room[r, lane] - popcount(a[k, lane] ^ w[k, r]), 0)`` for `rows` r, LANES lanes."""
    a, a_at, stride, w, w_at, count, room, room_at, *_ = args
    a_type, _, _, w_type, _, _, room_type, _, *_ = signature.args
    octets = ir.VectorType(ir.IntType(8), LANES)
    bits = room_type.dtype.bitwidth
    lanes = ir.VectorType(ir.IntType(bits), LANES)
    left, sums = [], []
    for r in range(rows):
        at = builder.add(room_at, room_at.type(r * LANES))
        start = load_vector(builder, element(context, builder, room_type, room, at), lanes)
        left.append(cgutils.alloca_once_value(builder, start))
        sums.append(cgutils.alloca_once(builder, octets))
    step = count.type(CHUNK)
    with cgutils.for_range_slice(builder, count.type(0), count, step, count.type) as (first, _):
        for total in sums:
            builder.store(_constant(octets, 0), total)
        rest = builder.sub(count, first)
        some = builder.select(builder.icmp_signed("<", rest, step), rest, step)
        with cgutils.for_range(builder, some) as loop:
            k = builder.add(first, loop.index)
            at = builder.add(a_at, builder.mul(k, stride))
            pixels = load_vector(builder, element(context, builder, a_type, a, at), octets)
            at = builder.add(w_at, builder.mul(k, k.type(ROWS)))
            _add_counts(builder, pixels, element(context, builder, w_type, w, at), sums)
        for total, space in zip(sums, left, strict=True):
            ones = builder.load(total)
            ones = ones if bits == 8 else builder.zext(ones, lanes)
            name = f"llvm.usub.sat.v{LANES}i{bits}"
            builder.store(vector_call(builder, name, builder.load(space), ones), space)
    return [builder.load(space) for space in left]


def _leave_tile(rows: int) -> Llvm:
    """``y[r, lane] = max(room - count, 0)``; `y` and `a` have the same row stride."""

    def tile(
        typing_context: Llvm, a: Llvm, a_at: Llvm, stride: Llvm, w: Llvm, w_at: Llvm,
        count: Llvm, room: Llvm, room_at: Llvm, y: Llvm, y_at: Llvm,
    ) -> Llvm:  # fmt: skip
        def codegen(context: Llvm, builder: Llvm, signature: Llvm, args: Llvm) -> Llvm:
            _, _, stride, *_, out, out_at = args
            for r, space in enumerate(_left(context, builder, signature, args, rows)):
                at = builder.add(out_at, builder.mul(stride, stride.type(r)))
                store_vector(builder, space, element(context, builder, signature.args[-2], out, at))
            return context.get_dummy_value()

        i = types.intp
        return types.void(a, i, i, w, i, i, room, i, y, i), codegen

    return intrinsic(tile)


def _mark_tile(rows: int) -> Llvm:
    """Bit r of ``y[lane]`` is set where ``count < room``, all bits xored with `inverted`."""

    def tile(
        typing_context: Llvm, a: Llvm, a_at: Llvm, stride: Llvm, w: Llvm, w_at: Llvm,
        count: Llvm, room: Llvm, room_at: Llvm, inverted: Llvm, y: Llvm, y_at: Llvm,
    ) -> Llvm:  # fmt: skip
        def codegen(context: Llvm, builder: Llvm, signature: Llvm, args: Llvm) -> Llvm:
            invert, out, out_at = args[-3:]
            marks = splat(builder, invert, LANES)
            for r, space in enumerate(_left(context, builder, signature, args, rows)):
                some = builder.icmp_unsigned("!=", space, _constant(space.type, 0))
                bit = _constant(marks.type, 1 << r)
                marks = builder.select(some, builder.xor(marks, bit), marks)
            store_vector(builder, marks, element(context, builder, signature.args[-2], out, out_at))
            return context.get_dummy_value()

        i = types.intp
        return types.void(a, i, i, w, i, i, room, i, types.uint8, y, i), codegen

    return intrinsic(tile)


leave_tile, leave_half = _leave_tile(ROWS), _leave_tile(HALF)
mark_tile, mark_half = _mark_tile(ROWS), _mark_tile(HALF)


@compiled
def leave(planes: Array, weight: Array, room: Array, pattern: Array, left: Array) -> None:
    """``max(room - count, 0)`` of gathered planes (K, S) and weights, left (O, S) like `room`.

    weight: (O / ROWS, K, ROWS) uint32. room: (U, O, LANES). pattern: (S / LANES - 1,) below U. O is
    rounded up to HALF in `left`, to ROWS elsewhere.
    """
    count, stride = planes.shape
    rows = left.shape[0]
    for v in range(pattern.shape[0]):
        first = pattern[v] * room.shape[1]
        for o in range(0, rows, ROWS):
            w_at, room_at, at = o * count, (first + o) * LANES, o * stride + v * LANES
            if rows - o >= ROWS:
                leave_tile(planes, v * LANES, stride, weight, w_at, count, room, room_at, left, at)
            else:
                leave_half(planes, v * LANES, stride, weight, w_at, count, room, room_at, left, at)


@compiled
def mark(
    planes: Array, weight: Array, room: Array, pattern: Array, rows: int, inverted: Array, y: Array
) -> None:
    """Byte planes y (G, S) of ``(count < room) != inverted``; inverted is (G,), `rows` is O."""
    count, stride = planes.shape
    y_stride = y.shape[1]
    for v in range(pattern.shape[0]):
        first = pattern[v] * room.shape[1]
        for o in range(0, rows, ROWS):
            g = o // ROWS
            w_at, room_at, at = o * count, (first + o) * LANES, g * y_stride + v * LANES
            if rows - o > HALF:
                mark_tile(
                    planes, v * LANES, stride, weight, w_at, count, room, room_at, inverted[g],
                    y, at,
                )  # fmt: skip
            else:
                mark_half(
                    planes, v * LANES, stride, weight, w_at, count, room, room_at, inverted[g],
                    y, at,
                )  # fmt: skip


@compiled
def scale_left(left: Array, scale: Array, y: Array, add: bool) -> None:
    """``left * scale`` into y (O, P) float32, or added onto it."""
    for o in range(len(scale)):
        s, row, out = scale[o], left[o], y[o]
        if add:
            for p in range(out.shape[0]):
                out[p] = out[p] + np.float32(row[p]) * s
        else:
            for p in range(out.shape[0]):
                out[p] = np.float32(row[p]) * s
