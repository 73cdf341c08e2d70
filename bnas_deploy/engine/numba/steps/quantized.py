"""Prepares 8-bit convolutions for the Numba kernels.

Shapes: G = ceil(C / 4) quads per pixel.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.numba.kernels import quantized as quantized_kernels
from bnas_deploy.engine.numba.kernels.gather import gather
from bnas_deploy.engine.numba.plan import PREPARE, Array, Prepared, Workspace, padded
from bnas_deploy.engine.numba.steps.repack import copy, in_tiles, pixels
from bnas_deploy.engine.reference.steps.quantized import quantize_input
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel


@PREPARE.of(op.QuantizedConv2d)
def _quantized_conv2d(s: op.QuantizedConv2d, model: PackedModel) -> Prepared:
    """The function that runs an 8-bit convolution."""
    weight = model.tensors[s.weight]
    o, c, *kernel = weight.shape
    tiles = in_tiles(_quads(weight.transpose(0, 2, 3, 1)).reshape(o, -1), quantized_kernels.ROWS)
    rows = len(tiles) * quantized_kernels.ROWS
    scale, zero = copy(model, s.input_scale), copy(model, s.input_zero)
    steps = quantize_input(np.zeros((1, c, 1, 1), np.float32), scale, zero)
    outside = _quads(steps.reshape(c).astype(np.int8))
    offset = np.zeros(rows, np.int32)
    offset[:o] = model.tensors[s.offset]
    out_scale, relu = copy(model, s.scale), s.activation == "relu"
    size, out = pixels(model, s.input), pixels(model, s.output)
    stride = padded(out[0] * out[1], quantized_kernels.LANES)
    window = (size, out, tuple(kernel), s.stride, s.padding, s.dilation, False)

    def run(ws: Workspace) -> None:
        quads = ws.scratch("quads", (len(outside), size[0] * size[1]), "i4")
        quantized_kernels.quantize_quads(ws[s.input], scale, zero, quads)
        planes = ws.scratch("quad planes", (tiles.shape[1], stride), "i4")
        gather(quads, *window, outside, planes)
        acc = ws.scratch("dots", (rows, stride), "i4")
        quantized_kernels.sums(planes, tiles, offset, acc)
        quantized_kernels.finish(acc, out_scale, relu, ws[s.output])

    return run


def _quads(channels: Array) -> Array:
    """(..., C) int8 to (..., G) int32: four channels a word, the first one low."""
    c = channels.shape[-1]
    full = np.zeros((*channels.shape[:-1], -(-c // 4) * 4), np.int8)
    full[..., :c] = channels
    return full.view("<i4").astype(np.int32)
