"""Prepares binary depthwise convolutions for the Numba kernels."""

from __future__ import annotations

import numpy as np

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.numba.kernels.binary import LANES
from bnas_deploy.engine.numba.kernels.depthwise import depthwise_dots
from bnas_deploy.engine.numba.plan import PREPARE, Prepared, Workspace, padded
from bnas_deploy.engine.numba.steps.binary import dot_stage
from bnas_deploy.engine.numba.steps.repack import pixels, words
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel


@PREPARE.of(op.BinaryDepthwiseConv2d)
def _binary_depthwise_conv2d(s: op.BinaryDepthwiseConv2d, model: PackedModel) -> Prepared:
    """The function that runs a binary depthwise convolution."""
    weight = unpack_rows(words(model, s.weight), s.kernel[0] * s.kernel[1]).astype(np.uint8)
    size, out = pixels(model, s.input), pixels(model, s.stages[0].output)
    window = (size, out, s.kernel, s.stride, s.padding, s.dilation)
    stages = [dot_stage(stage, model) for stage in s.stages]
    shape = len(weight), padded(out[0] * out[1], LANES)

    def run(ws: Workspace) -> None:
        dot = ws.scratch("dots", shape, "i4")
        depthwise_dots(ws[s.input], weight, *window, dot)
        for stage in stages:
            stage(dot, ws)

    return run
