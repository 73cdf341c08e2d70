"""Prepares elementwise steps and constants for the Numba kernels.

A prepared step is a function of a workspace.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.numba.kernels import activation as activation_kernels
from bnas_deploy.engine.numba.kernels import binary as binary_kernels
from bnas_deploy.engine.numba.kernels import floats as float_kernels
from bnas_deploy.engine.numba.kernels import scale as scale_kernels
from bnas_deploy.engine.numba.plan import PREPARE, Prepared
from bnas_deploy.engine.numba.steps.repack import copy, flips
from bnas_deploy.engine.reference.arithmetic import SIGMOID_P, SIGMOID_Q
from bnas_deploy.format import steps as op
from bnas_deploy.format.program import PackedModel


@PREPARE.of(op.Affine)
def _affine(s: op.Affine, model: PackedModel) -> Prepared:
    scale, shift = copy(model, s.scale), copy(model, s.shift)
    return lambda ws: float_kernels.affine(ws[s.input], scale, shift, ws[s.output])


@PREPARE.of(op.Relu)
def _relu(s: op.Relu, model: PackedModel) -> Prepared:
    return lambda ws: float_kernels.relu(ws[s.input], ws[s.output])


@PREPARE.of(op.Prelu)
def _prelu(s: op.Prelu, model: PackedModel) -> Prepared:
    slope = copy(model, s.slope)
    return lambda ws: activation_kernels.prelu(ws[s.input], slope, ws[s.output])


@PREPARE.of(op.Clip)
def _clip(s: op.Clip, model: PackedModel) -> Prepared:
    low, high = copy(model, s.low), copy(model, s.high)
    return lambda ws: activation_kernels.clip(ws[s.input], low, high, ws[s.output])


@PREPARE.of(op.Sigmoid)
def _sigmoid(s: op.Sigmoid, model: PackedModel) -> Prepared:
    terms = np.array(SIGMOID_P, np.float32), np.array(SIGMOID_Q, np.float32)
    return lambda ws: activation_kernels.sigmoid(ws[s.input], *terms, ws[s.output])


@PREPARE.of(op.HardSigmoid)
def _hard_sigmoid(s: op.HardSigmoid, model: PackedModel) -> Prepared:
    terms = copy(model, s.terms)
    return lambda ws: activation_kernels.hard_sigmoid(ws[s.input], terms, ws[s.output])


@PREPARE.of(op.Multiply)
def _multiply(s: op.Multiply, model: PackedModel) -> Prepared:
    return lambda ws: scale_kernels.multiply(ws[s.input], ws[s.factor], ws[s.output])


@PREPARE.of(op.Constant)
def _constant(s: op.Constant, model: PackedModel) -> Prepared:
    value = model.tensors[s.value].reshape(len(model.tensors[s.value]), -1)
    return lambda ws: np.copyto(ws[s.output], value)


@PREPARE.of(op.Binarize)
def _binarize(s: op.Binarize, model: PackedModel) -> Prepared:
    threshold = copy(model, s.threshold)
    flip = flips(model, s.flip, len(threshold))
    return lambda ws: binary_kernels.binarize(ws[s.input], threshold, flip, ws[s.output])
