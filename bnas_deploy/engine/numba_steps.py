"""Each step of a program made ready for the Numba kernels, weights repacked; not the kernels.

A prepared step is a function of a workspace. Shapes: T = kh*kw taps, G = ceil(C / 8), K = T*G bytes
a row, S elements between planes, P pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine import numba_binary, numba_float, numba_quantized
from bnas_deploy.engine.numba_gather import gather
from bnas_deploy.engine.numba_plan import Array, Workspace, padded
from bnas_deploy.engine.reference_quantized import quantize_input
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel

__all__ = ["Prepared", "prepare"]

Prepared = Callable[[Workspace], None]


def prepare(step: op.Step, model: PackedModel) -> Prepared:
    """The function that runs a step."""
    return PREPARE[step.OP](step, model)


def _copy(model: PackedModel, name: str) -> Array:
    # Numba compiles once more for read-only arrays, which tensors of a file are.
    return np.array(model.tensors[name])


def _words(model: PackedModel, name: str) -> npt.NDArray[np.uint64]:
    return model.tensors[name].astype(np.uint64, copy=False)


def _flips(model: PackedModel, name: str, channels: int) -> Array:
    return unpack_rows(_words(model, name), channels).astype(np.uint8)


def _pixels(model: PackedModel, name: str) -> tuple[int, int]:
    return model.program.values[name].shape[1:]


def _tiles(rows: Array, height: int) -> Array:
    """(O, K) to (O / height, K, height), zeros added to fill the last tile."""
    o, k = rows.shape
    full = np.zeros((-(-o // height) * height, k), rows.dtype)
    full[:o] = rows
    return np.ascontiguousarray(full.reshape(-1, height, k).transpose(0, 2, 1))


def _affine(s: op.Affine, model: PackedModel) -> Prepared:
    scale, shift = _copy(model, s.scale), _copy(model, s.shift)
    return lambda ws: numba_float.affine(ws[s.input], scale, shift, ws[s.output])


def _relu(s: op.Relu, model: PackedModel) -> Prepared:
    return lambda ws: numba_float.relu(ws[s.input], ws[s.output])


def _conv2d(s: op.Conv2d, model: PackedModel) -> Prepared:
    weight = model.tensors[s.weight]
    o, kernel = len(weight), weight.shape[2:]
    tiles = _tiles(weight.reshape(o, -1), numba_float.ROWS)
    rows = len(tiles) * numba_float.ROWS
    bias = np.zeros(rows, np.float32)
    if s.bias is not None:
        bias[:o] = model.tensors[s.bias]
    size, out = _pixels(model, s.input), _pixels(model, s.output)
    stride = padded(out[0] * out[1], numba_float.LANES)
    window = (size, out, kernel, s.stride, s.padding, s.dilation, True)

    def run(ws: Workspace) -> None:
        planes = ws.scratch("floats", (tiles.shape[1], stride), "f4")
        gather(ws[s.input], *window, planes)
        acc = ws.scratch("sums", (rows, stride), "f4")
        numba_float.conv(planes, tiles, bias, s.activation == "relu", acc, ws[s.output])

    return run


def _binarize(s: op.Binarize, model: PackedModel) -> Prepared:
    threshold = _copy(model, s.threshold)
    flip = _flips(model, s.flip, len(threshold))
    return lambda ws: numba_binary.binarize(ws[s.input], threshold, flip, ws[s.output])


def _inside(size: int, out: int, *, taps: int, stride: int, before: int, dilation: int) -> Array:
    """(taps, out): whether a tap lies inside the image, along one axis."""
    source = np.arange(out) * stride + np.arange(taps)[:, None] * dilation - before
    return (source >= 0) & (source < size)


def _constants(
    s: op.BinaryConv2d, model: PackedModel, negatives: Array, out: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """What `numba_binary.dots` starts from: (O,) for whole windows, edge pixels, (O, edges).

    A tap inside adds C - 2*ones + fold. A tap outside must add nothing; its bits are 0 = +1 there,
    so that its ones are the weight's negatives (O, T), and twice their number is given back.
    """
    c, h, w = model.program.values[s.input].shape
    (kh, kw), (top, left, _, _) = s.kernel, s.padding
    axes = zip((h, w), out, s.kernel, s.stride, (top, left), s.dilation, strict=True)
    y, x = (_inside(i, o, taps=k, stride=t, before=b, dilation=d) for i, o, k, t, b, d in axes)
    inside = (y[:, None, :, None] & x[None, :, None, :]).reshape(kh * kw, -1)  # (T, P)
    fold = 0 if s.fold is None else model.tensors[s.fold].reshape(-1, kh * kw)
    tap = np.zeros_like(negatives) + c + fold  # (O, T)
    edge = np.flatnonzero(~inside.all(axis=0))
    at_edge = inside[:, edge].astype(np.int64)
    edges = tap @ at_edge + 2 * negatives @ (1 - at_edge)
    return tap.sum(axis=1).astype(np.int32), edge, edges.astype(np.int32)


def _binary_conv2d(s: op.BinaryConv2d, model: PackedModel) -> Prepared:
    c = model.program.values[s.input].shape[0]
    taps = s.kernel[0] * s.kernel[1]
    bits = unpack_rows(_words(model, s.weight), taps * c).reshape(-1, taps, c)
    octets = np.packbits(bits, axis=-1, bitorder="little").reshape(len(bits), -1)  # (O, K)
    tiles = _tiles(octets.astype(np.uint32) * np.uint32(0x01010101), numba_binary.ROWS)
    size, out = _pixels(model, s.input), _pixels(model, s.stages[0].output)
    negatives = bits.sum(axis=-1, dtype=np.int64)
    rows = len(tiles) * numba_binary.ROWS
    whole, edge, edges = _constants(s, model, negatives, out)
    constant = np.zeros(rows, np.int32)
    constant[: len(bits)] = whole
    edge_constant = np.zeros((rows, len(edge)), np.int32)
    edge_constant[: len(bits)] = edges
    stride = padded(out[0] * out[1], numba_binary.LANES)
    window = (size, out, s.kernel, s.stride, s.padding, s.dilation, False)
    direct = s.kernel == (1, 1) and s.stride == (1, 1) and s.padding == (0, 0, 0, 0)
    stages = [_stage(stage, model) for stage in s.stages]

    def run(ws: Workspace) -> None:
        planes = ws[s.input]
        if not direct:
            planes = ws.scratch("bytes", (tiles.shape[1], stride), "u1")
            gather(ws[s.input], *window, planes)
        dot = ws.scratch("dots", (rows, stride), "i4")
        numba_binary.dots(planes, tiles, constant, edge, edge_constant, dot)
        for stage in stages:
            stage(dot, ws)

    return run


def _stage(stage: op.Stage, model: PackedModel) -> Callable[[Array, Workspace], None]:
    if isinstance(stage, op.ThresholdStage):
        threshold = _copy(model, stage.threshold)
        flip, bits = _flips(model, stage.flip, len(threshold)), stage.output
        return lambda dot, ws: numba_binary.threshold_stage(dot, threshold, flip, ws[bits])
    scale, relu = _copy(model, stage.scale), stage.activation == "relu"
    output, addend, part = stage.output, stage.addend, slice(stage.at, stage.at + len(scale))

    def run(dot: Array, ws: Workspace) -> None:
        y = ws[output]
        if addend is not None and ws[addend] is not y:
            np.copyto(y, ws[addend])
        numba_binary.scale_stage(dot, scale, relu, y[part], addend is not None)

    return run


def _pairs(weight: Array) -> Array:
    """(O, C, kh, kw) int8 to (O, kh*kw*G) int32: two channels a word, the first one low."""
    o, c, kh, kw = weight.shape
    even = np.zeros((o, c + c % 2, kh, kw), np.int32)
    even[:, :c] = weight
    words = (even[:, 0::2] & 0xFFFF) | (even[:, 1::2] << 16)
    return words.transpose(0, 2, 3, 1).reshape(o, -1)


def _quantized_conv2d(s: op.QuantizedConv2d, model: PackedModel) -> Prepared:
    weight = model.tensors[s.weight]
    o, c, *kernel = weight.shape
    tiles = _tiles(_pairs(weight), numba_quantized.ROWS)
    rows = len(tiles) * numba_quantized.ROWS
    scale, zero = _copy(model, s.input_scale), _copy(model, s.input_zero)
    outside = quantize_input(np.zeros((1, c, 1, 1), np.float32), scale, zero).reshape(c)
    offset = np.zeros(rows, np.int32)
    # Words hold q - q(0), so what q(0) adds at every tap is added here.
    offset[:o] = model.tensors[s.offset] + weight.sum(axis=(2, 3), dtype=np.int64) @ outside
    out_scale, relu = _copy(model, s.scale), s.activation == "relu"
    size, out = _pixels(model, s.input), _pixels(model, s.output)
    groups, stride = -(-c // 2), padded(out[0] * out[1], numba_quantized.LANES)
    window = (size, out, tuple(kernel), s.stride, s.padding, s.dilation, False)

    def run(ws: Workspace) -> None:
        words = ws.scratch("words", (groups, size[0] * size[1]), "i4")
        numba_quantized.quantize_pairs(ws[s.input], scale, zero, words)
        planes = ws.scratch("word planes", (tiles.shape[1], stride), "i4")
        gather(words, *window, planes)
        acc = ws.scratch("dots", (rows, stride), "i4")
        numba_quantized.sums(planes, tiles, offset, acc)
        numba_quantized.finish(acc, out_scale, relu, ws[s.output])

    return run


def _max_pool2d(s: op.MaxPool2d, model: PackedModel) -> Prepared:
    window = (_pixels(model, s.input), _pixels(model, s.output), s.kernel, s.stride, s.padding)
    return lambda ws: numba_float.max_pool(ws[s.input], *window, ws[s.output])


def _avg_pool2d(s: op.AvgPool2d, model: PackedModel) -> Prepared:
    window = (_pixels(model, s.input), _pixels(model, s.output), s.kernel, s.stride, s.padding)
    return lambda ws: numba_float.avg_pool(ws[s.input], *window, ws[s.output])


def _add_slice(s: op.AddSlice, model: PackedModel) -> Prepared:
    part = slice(s.at, s.at + model.program.values[s.addend].shape[0])

    def run(ws: Workspace) -> None:
        x, y = ws[s.input], ws[s.output]
        if x is not y:
            np.copyto(y, x)
        with np.errstate(all="ignore"):
            np.add(y[part], ws[s.addend], out=y[part])

    return run


def _concat(s: op.Concat, model: PackedModel) -> Prepared:
    def run(ws: Workspace) -> None:
        np.concatenate([ws[name] for name in s.inputs], out=ws[s.output])

    return run


def _select_channels(s: op.SelectChannels, model: PackedModel) -> Prepared:
    index = _copy(model, s.index)
    empty = np.flatnonzero(index < 0)

    def run(ws: Workspace) -> None:
        y = ws[s.output]
        np.take(ws[s.input], index, axis=0, out=y, mode="wrap")
        y[empty] = 0

    return run


def _global_avg_pool(s: op.GlobalAvgPool, model: PackedModel) -> Prepared:
    return lambda ws: numba_float.global_avg_pool(ws[s.input], ws[s.output].reshape(-1))


def _linear(s: op.Linear, model: PackedModel) -> Prepared:
    weight = np.ascontiguousarray(model.tensors[s.weight].T)  # (K, O)
    bias = np.zeros(weight.shape[1], np.float32)
    if s.bias is not None:
        bias[:] = model.tensors[s.bias]

    def run(ws: Workspace) -> None:
        numba_float.linear(ws[s.input].reshape(-1), weight, bias, ws[s.output].reshape(-1))

    return run


PREPARE: dict[str, Callable[[Any, PackedModel], Prepared]] = {
    op.Affine.OP: _affine,
    op.Relu.OP: _relu,
    op.Conv2d.OP: _conv2d,
    op.Binarize.OP: _binarize,
    op.BinaryConv2d.OP: _binary_conv2d,
    op.QuantizedConv2d.OP: _quantized_conv2d,
    op.MaxPool2d.OP: _max_pool2d,
    op.AvgPool2d.OP: _avg_pool2d,
    op.AddSlice.OP: _add_slice,
    op.Concat.OP: _concat,
    op.SelectChannels.OP: _select_channels,
    op.GlobalAvgPool.OP: _global_avg_pool,
    op.Linear.OP: _linear,
}
