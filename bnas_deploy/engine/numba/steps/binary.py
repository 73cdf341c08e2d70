"""Prepares binary convolutions for the Numba kernels.

Shapes: T = kh*kw taps, G = ceil(C / 8), K = T*G bytes per row, S bytes between planes, V vectors of
L = 64 pixels, U patterns of taps inside the image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.numba.kernels import binary as binary_kernels
from bnas_deploy.engine.numba.kernels import byte_counts as byte_count_kernels
from bnas_deploy.engine.numba.kernels.gather import gather
from bnas_deploy.engine.numba.plan import PREPARE, Array, Prepared, Workspace
from bnas_deploy.engine.numba.steps.repack import copy, flips, in_tiles, pixels, words
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel

__all__ = ["Convolution", "PreparedStage", "convolution", "dot_stage"]

PreparedStage = Callable[[Array, Workspace], None]
LANES = binary_kernels.LANES


@dataclass(frozen=True)
class Convolution:
    """What the stages of a convolution share.

    Attributes:
        octets: Weights, (O, K) uint8.
        base: Dot products were all bits equal, (U, O, L) int64.
        pattern: Which of them a vector of pixels starts from, (V,).
        most: Of all counts.
    """

    octets: Array
    base: Array
    pattern: Array
    most: int

    def tiles(self, height: int) -> Array:
        """A weight byte four times in a word, for which x86 has a broadcast that costs nothing."""
        return in_tiles(self.octets.astype(np.uint32) * np.uint32(0x01010101), height)

    def table(self, per_pixel: Array, height: int, dtype: str) -> Array:
        """(U, O, L) with O rounded up to `height`, 0 there."""
        more = -per_pixel.shape[1] % height
        return np.pad(per_pixel, ((0, 0), (0, more), (0, 0))).astype(dtype)

    @property
    def stride(self) -> int:
        """S."""
        return (len(self.pattern) + 1) * LANES


@PREPARE.of(op.BinaryConv2d)
def _binary_conv2d(s: op.BinaryConv2d, model: PackedModel) -> Prepared:
    """The function that runs a binary convolution."""
    c = model.program.values[s.input].shape[0]
    conv = convolution(s, model)
    size, out = pixels(model, s.input), pixels(model, s.stages[0].output)
    window = (size, out, s.kernel, s.stride, s.padding, s.dilation, False)
    outside = np.zeros(-(-c // 8), np.uint8)
    direct = s.kernel == (1, 1) and s.stride == (1, 1) and s.padding == (0, 0, 0, 0)
    stages = _stages(s.stages, conv, model)
    shape = conv.octets.shape[1], conv.stride

    def run(ws: Workspace) -> None:
        planes = ws[s.input]
        if not direct:
            planes = ws.scratch("bytes", shape, "u1")
            gather(ws[s.input], *window, outside, planes)
        for stage in stages:
            stage(planes, ws)

    return run


def convolution(s: op.BinaryConv2d, model: PackedModel) -> Convolution:
    """The weights of a convolution, and what its counts are taken from."""
    c = model.program.values[s.input].shape[0]
    taps = s.kernel[0] * s.kernel[1]
    bits = unpack_rows(words(model, s.weight), taps * c).reshape(-1, taps, c)
    octets = np.packbits(bits, axis=-1, bitorder="little").reshape(len(bits), -1)  # (O, K)
    out = pixels(model, s.stages[0].output)
    base, pattern = _bases(s, model, bits.sum(axis=-1, dtype=np.int64), out)
    return Convolution(octets, base, pattern, taps * c)


def _inside(size: int, out: int, *, taps: int, stride: int, before: int, dilation: int) -> Array:
    """(taps, out): whether a tap lies inside the image, along one axis."""
    source = np.arange(out) * stride + np.arange(taps)[:, None] * dilation - before
    return (source >= 0) & (source < size)


def _bases(
    s: op.BinaryConv2d, model: PackedModel, negatives: Array, out: tuple[int, int]
) -> tuple[Array, Array]:
    """Dot products were all bits equal (U, O, L), and the pattern of each vector (V,).

    A tap inside adds C - 2*ones + fold. A tap outside must add nothing; its bits are 0 = +1 there,
    so that its ones are the weight's negatives (O, T), and twice their number is given back.
    """
    c, h, w = model.program.values[s.input].shape
    (kh, kw), (top, left, _, _) = s.kernel, s.padding
    axes = zip((h, w), out, s.kernel, s.stride, (top, left), s.dilation, strict=True)
    y, x = (_inside(i, o, taps=k, stride=t, before=b, dilation=d) for i, o, k, t, b, d in axes)
    inside = (y[:, None, :, None] & x[None, :, None, :]).reshape(kh * kw, -1)  # (T, P)
    # Lanes behind the image repeat its last pixel, so that they never need more than a byte holds.
    inside = np.pad(inside, ((0, 0), (0, -inside.shape[1] % LANES)), mode="edge")
    vectors = inside.reshape(kh * kw, -1, LANES).transpose(1, 0, 2)  # (V, T, L)
    seen, pattern = np.unique(vectors, axis=0, return_inverse=True)
    fold = 0 if s.fold is None else model.tensors[s.fold].reshape(-1, kh * kw)
    tap = np.zeros_like(negatives) + c + fold  # (O, T)
    return tap @ seen + 2 * negatives @ (1 - seen.astype(np.int64)), pattern.reshape(-1)


def _stages(
    stages: Sequence[op.Stage], conv: Convolution, model: PackedModel
) -> list[PreparedStage]:
    """The stages that look at counts, one after another, then those that need the dot products."""
    counted, dotted = [], []
    for stage in stages:
        room = _room(stage, conv, model)
        if room is None:
            dotted.append(dot_stage(stage, model))
        elif isinstance(stage, op.ThresholdStage):
            counted.append(_mark(stage, conv, room, model))
        else:
            counted.append(_scale(stage, conv, room, model))
    return counted + ([_dots(conv, dotted)] if dotted else [])


def _room(stage: op.Stage, conv: Convolution, model: PackedModel) -> Array | None:
    """Rooms (U, O rounded up, L), or None where counts do not do."""
    if isinstance(stage, op.ThresholdStage):
        room: Array | None = _threshold_room(stage, conv, model)
    else:
        room = _scale_room(stage, conv, model)
    if room is None or room.max() > 0xFFFF:
        return None
    return conv.table(room, byte_count_kernels.ROWS, "u1" if room.max() <= 0xFF else "u2")


def _threshold_room(stage: op.ThresholdStage, conv: Convolution, model: PackedModel) -> Array:
    """``dot >= t`` if and only if ``count < floor((base - t) / 2) + 1``."""
    t = model.tensors[stage.threshold].astype(np.int64)
    room: Array = ((conv.base - t[:, None]) >> 1) + 1
    return np.clip(room, 0, conv.most + 1)


def _scale_room(stage: op.FloatStage, conv: Convolution, model: PackedModel) -> Array | None:
    """``2 max(base / 2 - count, 0)`` is ReLU(dot); None where 2 does not move into the scale."""
    if isinstance(stage, op.AffineStage):
        return None
    twice = 2 * model.tensors[stage.scale]
    exact = np.isfinite(twice).all() and not np.signbit(twice).any()
    if stage.activation != "relu" or not exact or (conv.base[conv.base > 0] % 2).any():
        return None
    return np.maximum(conv.base, 0) >> 1


def _mark(
    stage: op.ThresholdStage, conv: Convolution, room: Array, model: PackedModel
) -> PreparedStage:
    rows = len(conv.octets)
    weight = conv.tiles(byte_count_kernels.ROWS)
    inverted = np.packbits(1 - flips(model, stage.flip, rows), bitorder="little")
    pattern, bits = conv.pattern, stage.output
    return lambda planes, ws: byte_count_kernels.mark(
        planes, weight, room, pattern, rows, inverted, ws[bits]
    )


def _scale(
    stage: op.FloatStage, conv: Convolution, room: Array, model: PackedModel
) -> PreparedStage:
    weight, pattern, twice = (
        conv.tiles(byte_count_kernels.ROWS),
        conv.pattern,
        2 * copy(model, stage.scale),
    )
    shape = -(-len(twice) // byte_count_kernels.HALF) * byte_count_kernels.HALF, conv.stride
    kind, add = room.dtype.str[1:], stage.addend is not None

    def run(planes: Array, ws: Workspace) -> None:
        left = ws.scratch(kind, shape, kind)
        byte_count_kernels.leave(planes, weight, room, pattern, left)
        byte_count_kernels.scale_left(left, twice, _target(stage, ws, len(twice)), add)

    return run


def _target(stage: op.FloatStage, ws: Workspace, rows: int) -> Array:
    """The channels that a stage writes, after the addend was copied if it lies elsewhere."""
    y = ws[stage.output]
    if stage.addend is not None and ws[stage.addend] is not y:
        np.copyto(y, ws[stage.addend])
    return y[stage.at : stage.at + rows]


def _dots(conv: Convolution, stages: list[PreparedStage]) -> PreparedStage:
    """Computes the dot products and runs the stages that need them."""
    weight, pattern = conv.tiles(binary_kernels.ROWS), conv.pattern
    base = conv.table(conv.base, binary_kernels.ROWS, "i4")
    shape = base.shape[1], conv.stride

    def run(planes: Array, ws: Workspace) -> None:
        dot = ws.scratch("dots", shape, "i4")
        binary_kernels.dots(planes, weight, base, pattern, dot)
        for stage in stages:
            stage(dot, ws)

    return run


def dot_stage(stage: op.Stage, model: PackedModel) -> PreparedStage:
    """The function that makes a stage's value of dot products, (O or more, S) int32."""
    if isinstance(stage, op.ThresholdStage):
        threshold = copy(model, stage.threshold)
        flip, bits = flips(model, stage.flip, len(threshold)), stage.output
        return lambda dot, ws: binary_kernels.threshold_stage(dot, threshold, flip, ws[bits])
    scale, relu = copy(model, stage.scale), stage.activation == "relu"

    if isinstance(stage, op.AffineStage):
        shift = copy(model, stage.shift)

        def run_affine(dot: Array, ws: Workspace) -> None:
            y = _target(stage, ws, len(scale))
            binary_kernels.affine_stage(dot, scale, shift, relu, y, stage.addend is not None)

        return run_affine

    def run(dot: Array, ws: Workspace) -> None:
        y = _target(stage, ws, len(scale))
        binary_kernels.scale_stage(dot, scale, relu, y, stage.addend is not None)

    return run
