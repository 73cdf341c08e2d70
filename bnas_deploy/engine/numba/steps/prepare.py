"""Each step of a program made ready for the Numba kernels, weights repacked; not the kernels.

A prepared step is a function of a workspace. Shapes: T = kh*kw taps, G = ceil(C / 8), K = T*G bytes
a row, S elements between planes, P pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bnas_deploy.engine.numba.kernels import activation as activation_kernels
from bnas_deploy.engine.numba.kernels import binary as binary_kernels
from bnas_deploy.engine.numba.kernels import floats as float_kernels
from bnas_deploy.engine.numba.kernels import scale as scale_kernels
from bnas_deploy.engine.numba.kernels.gather import gather
from bnas_deploy.engine.numba.plan import Prepared, Workspace, padded
from bnas_deploy.engine.numba.steps.binary import binary_conv2d
from bnas_deploy.engine.numba.steps.depthwise import binary_depthwise_conv2d
from bnas_deploy.engine.numba.steps.grouped import binary_grouped_conv2d
from bnas_deploy.engine.numba.steps.quantized import quantized_conv2d
from bnas_deploy.engine.numba.steps.repack import copy, flips, in_tiles, pixels
from bnas_deploy.engine.reference.arithmetic import SIGMOID_P, SIGMOID_Q
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel

__all__ = ["Prepared", "prepare"]


def prepare(step: op.Step, model: PackedModel) -> Prepared:
    """The function that runs a step."""
    return PREPARE[step.OP](step, model)


def _affine(s: op.Affine, model: PackedModel) -> Prepared:
    scale, shift = copy(model, s.scale), copy(model, s.shift)
    return lambda ws: float_kernels.affine(ws[s.input], scale, shift, ws[s.output])


def _relu(s: op.Relu, model: PackedModel) -> Prepared:
    return lambda ws: float_kernels.relu(ws[s.input], ws[s.output])


def _prelu(s: op.Prelu, model: PackedModel) -> Prepared:
    slope = copy(model, s.slope)
    return lambda ws: activation_kernels.prelu(ws[s.input], slope, ws[s.output])


def _clip(s: op.Clip, model: PackedModel) -> Prepared:
    low, high = copy(model, s.low), copy(model, s.high)
    return lambda ws: activation_kernels.clip(ws[s.input], low, high, ws[s.output])


def _sigmoid(s: op.Sigmoid, model: PackedModel) -> Prepared:
    terms = np.array(SIGMOID_P, np.float32), np.array(SIGMOID_Q, np.float32)
    return lambda ws: activation_kernels.sigmoid(ws[s.input], *terms, ws[s.output])


def _constant(s: op.Constant, model: PackedModel) -> Prepared:
    value = model.tensors[s.value].reshape(len(model.tensors[s.value]), -1)
    return lambda ws: np.copyto(ws[s.output], value)


def _binary_max_pool2d(s: op.BinaryMaxPool2d, model: PackedModel) -> Prepared:
    channels = model.program.values[s.input].shape[0]
    least = np.zeros(channels, np.uint8)
    if s.minimum is not None:
        least = flips(model, s.minimum, channels)
    turned = np.packbits(least, bitorder="little")
    window = (pixels(model, s.input), pixels(model, s.output), s.kernel, s.stride, s.padding)
    return lambda ws: activation_kernels.pool_bits(ws[s.input], turned, *window, ws[s.output])


def _conv2d(s: op.Conv2d | op.GroupedConv2d, model: PackedModel) -> Prepared:
    groups = s.groups
    weight = model.tensors[s.weight]
    o, c, *kernel = weight.shape
    o //= groups
    tiles = [in_tiles(w.reshape(o, -1), float_kernels.ROWS) for w in np.split(weight, groups)]
    rows = len(tiles[0]) * float_kernels.ROWS
    bias = np.zeros((groups, rows), np.float32)
    if s.bias is not None:
        bias[:, :o] = model.tensors[s.bias].reshape(groups, o)
    size, out = pixels(model, s.input), pixels(model, s.output)
    stride = padded(out[0] * out[1], float_kernels.LANES)
    window = (size, out, tuple(kernel), s.stride, s.padding, s.dilation, True)
    outside = np.zeros(c, np.float32)

    def run(ws: Workspace) -> None:
        planes = ws.scratch("floats", (tiles[0].shape[1], stride), "f4")
        acc = ws.scratch("sums", (rows, stride), "f4")
        for g in range(groups):
            gather(ws[s.input][g * c : (g + 1) * c], *window, outside, planes)
            y = ws[s.output][g * o : (g + 1) * o]
            float_kernels.conv(planes, tiles[g], bias[g], s.activation == "relu", acc, y)

    return run


def _binarize(s: op.Binarize, model: PackedModel) -> Prepared:
    threshold = copy(model, s.threshold)
    flip = flips(model, s.flip, len(threshold))
    return lambda ws: binary_kernels.binarize(ws[s.input], threshold, flip, ws[s.output])


def _max_pool2d(s: op.MaxPool2d, model: PackedModel) -> Prepared:
    window = (pixels(model, s.input), pixels(model, s.output), s.kernel, s.stride, s.padding)
    return lambda ws: float_kernels.max_pool(ws[s.input], *window, ws[s.output])


def _avg_pool2d(s: op.AvgPool2d, model: PackedModel) -> Prepared:
    window = (pixels(model, s.input), pixels(model, s.output), s.kernel, s.stride, s.padding)
    return lambda ws: float_kernels.avg_pool(ws[s.input], *window, ws[s.output])


def _add_slice(s: op.AddSlice, model: PackedModel) -> Prepared:
    part = slice(s.at, s.at + model.program.values[s.addend].shape[0])

    def run(ws: Workspace) -> None:
        x, y = ws[s.input], ws[s.output]
        if x is not y:
            np.copyto(y, x)
        with np.errstate(all="ignore"):
            np.add(y[part], ws[s.addend], out=y[part])

    return run


def _mean_magnitude(s: op.MeanMagnitude, model: PackedModel) -> Prepared:
    scale, shift, terms = copy(model, s.scale), copy(model, s.shift), copy(model, s.terms)
    return lambda ws: scale_kernels.mean_magnitude(
        ws[s.input], scale, shift, terms, ws[s.output][0]
    )


def _multiply(s: op.Multiply, model: PackedModel) -> Prepared:
    return lambda ws: scale_kernels.multiply(ws[s.input], ws[s.factor], ws[s.output])


def _concat(s: op.Concat, model: PackedModel) -> Prepared:
    def run(ws: Workspace) -> None:
        np.concatenate([ws[name] for name in s.inputs], out=ws[s.output])

    return run


def _select_channels(s: op.SelectChannels, model: PackedModel) -> Prepared:
    index = copy(model, s.index)
    empty = np.flatnonzero(index < 0)

    def run(ws: Workspace) -> None:
        y = ws[s.output]
        np.take(ws[s.input], index, axis=0, out=y, mode="wrap")
        y[empty] = 0

    return run


def _global_avg_pool(s: op.GlobalAvgPool, model: PackedModel) -> Prepared:
    return lambda ws: float_kernels.global_avg_pool(ws[s.input], ws[s.output].reshape(-1))


def _linear(s: op.Linear, model: PackedModel) -> Prepared:
    weight = np.ascontiguousarray(model.tensors[s.weight].T)  # (K, O)
    bias = np.zeros(weight.shape[1], np.float32)
    if s.bias is not None:
        bias[:] = model.tensors[s.bias]

    def run(ws: Workspace) -> None:
        float_kernels.linear(ws[s.input].reshape(-1), weight, bias, ws[s.output].reshape(-1))

    return run


PREPARE: dict[str, Callable[[Any, PackedModel], Prepared]] = {
    op.Affine.OP: _affine,
    op.Relu.OP: _relu,
    op.Prelu.OP: _prelu,
    op.Clip.OP: _clip,
    op.Sigmoid.OP: _sigmoid,
    op.Constant.OP: _constant,
    op.BinaryMaxPool2d.OP: _binary_max_pool2d,
    op.Conv2d.OP: _conv2d,
    op.GroupedConv2d.OP: _conv2d,
    op.Binarize.OP: _binarize,
    op.BinaryConv2d.OP: binary_conv2d,
    op.BinaryGroupedConv2d.OP: binary_grouped_conv2d,
    op.BinaryDepthwiseConv2d.OP: binary_depthwise_conv2d,
    op.QuantizedConv2d.OP: quantized_conv2d,
    op.MaxPool2d.OP: _max_pool2d,
    op.AvgPool2d.OP: _avg_pool2d,
    op.AddSlice.OP: _add_slice,
    op.MeanMagnitude.OP: _mean_magnitude,
    op.Multiply.OP: _multiply,
    op.Concat.OP: _concat,
    op.SelectChannels.OP: _select_channels,
    op.GlobalAvgPool.OP: _global_avg_pool,
    op.Linear.OP: _linear,
}
