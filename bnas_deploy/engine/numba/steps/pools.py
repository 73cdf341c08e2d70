"""Prepares pools for the Numba kernels.

A prepared step is a function of a workspace.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.numba.kernels import activation as activation_kernels
from bnas_deploy.engine.numba.kernels import floats as float_kernels
from bnas_deploy.engine.numba.plan import PREPARE, Prepared
from bnas_deploy.engine.numba.steps.repack import flips, pixels
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel


@PREPARE.of(op.MaxPool2d)
def _max_pool2d(s: op.MaxPool2d, model: PackedModel) -> Prepared:
    window = (pixels(model, s.input), pixels(model, s.output), s.kernel, s.stride, s.padding)
    return lambda ws: float_kernels.max_pool(ws[s.input], *window, ws[s.output])


@PREPARE.of(op.AvgPool2d)
def _avg_pool2d(s: op.AvgPool2d, model: PackedModel) -> Prepared:
    window = (pixels(model, s.input), pixels(model, s.output), s.kernel, s.stride, s.padding)
    return lambda ws: float_kernels.avg_pool(ws[s.input], *window, ws[s.output])


@PREPARE.of(op.BinaryMaxPool2d)
def _binary_max_pool2d(s: op.BinaryMaxPool2d, model: PackedModel) -> Prepared:
    channels = model.program.values[s.input].shape[0]
    least = np.zeros(channels, np.uint8)
    if s.minimum is not None:
        least = flips(model, s.minimum, channels)
    inverted = np.packbits(least, bitorder="little")
    window = (pixels(model, s.input), pixels(model, s.output), s.kernel, s.stride, s.padding)
    return lambda ws: activation_kernels.pool_bits(ws[s.input], inverted, *window, ws[s.output])


@PREPARE.of(op.GlobalAvgPool)
def _global_avg_pool(s: op.GlobalAvgPool, model: PackedModel) -> Prepared:
    return lambda ws: float_kernels.global_avg_pool(ws[s.input], ws[s.output].reshape(-1))
