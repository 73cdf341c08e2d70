"""Prepares full-precision convolutions and linear layers for the Numba kernels.

A prepared step is a function of a workspace.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.numba.kernels import floats as float_kernels
from bnas_deploy.engine.numba.kernels.gather import gather
from bnas_deploy.engine.numba.plan import PREPARE, Prepared, Workspace, padded
from bnas_deploy.engine.numba.steps.repack import in_tiles, pixels
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel


@PREPARE.of(op.Conv2d, op.GroupedConv2d)
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


@PREPARE.of(op.Linear)
def _linear(s: op.Linear, model: PackedModel) -> Prepared:
    weight = np.ascontiguousarray(model.tensors[s.weight].T)  # (K, O)
    bias = np.zeros(weight.shape[1], np.float32)
    if s.bias is not None:
        bias[:] = model.tensors[s.bias]

    def run(ws: Workspace) -> None:
        float_kernels.linear(ws[s.input].reshape(-1), weight, bias, ws[s.output].reshape(-1))

    return run
