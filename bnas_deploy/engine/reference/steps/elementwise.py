"""The meaning of the steps that look at one element at a time, and of constants."""

from __future__ import annotations

import numpy as np

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.reference.arithmetic import fma, prelu, relu, sigmoid
from bnas_deploy.engine.reference.steps.state import MEANING, Assigned, State, per_channel
from bnas_deploy.format import steps as op


@MEANING.of(op.Affine)
def _affine(s: op.Affine, state: State) -> Assigned:
    x, scale, shift = state.values[s.input], state.tensors[s.scale], state.tensors[s.shift]
    return {s.output: x * per_channel(scale) + per_channel(shift)}


@MEANING.of(op.Relu)
def _relu(s: op.Relu, state: State) -> Assigned:
    return {s.output: relu(state.values[s.input])}


@MEANING.of(op.Prelu)
def _prelu(s: op.Prelu, state: State) -> Assigned:
    return {s.output: prelu(state.values[s.input], per_channel(state.tensors[s.slope]))}


@MEANING.of(op.Clip)
def _clip(s: op.Clip, state: State) -> Assigned:
    x = state.values[s.input]
    low, high = (per_channel(state.tensors[name]) for name in (s.low, s.high))
    t = np.where(x > low, x, low)
    return {s.output: np.where(t < high, t, high)}


@MEANING.of(op.Sigmoid)
def _sigmoid(s: op.Sigmoid, state: State) -> Assigned:
    return {s.output: sigmoid(state.values[s.input])}


@MEANING.of(op.HardSigmoid)
def _hard_sigmoid(s: op.HardSigmoid, state: State) -> Assigned:
    slope, middle = state.tensors[s.terms]
    y = relu(fma(state.values[s.input], slope, middle))
    return {s.output: np.where(y < 1, y, np.float32(1))}


@MEANING.of(op.Multiply)
def _multiply(s: op.Multiply, state: State) -> Assigned:
    return {s.output: state.values[s.input] * state.values[s.factor]}


@MEANING.of(op.Constant)
def _constant(s: op.Constant, state: State) -> Assigned:
    value = state.tensors[s.value]
    return {s.output: np.broadcast_to(value, (state.count, *value.shape))}


@MEANING.of(op.Binarize)
def _binarize(s: op.Binarize, state: State) -> Assigned:
    x, threshold = state.values[s.input], state.tensors[s.threshold]
    flip = unpack_rows(state.tensors[s.flip], x.shape[1])
    positive = (x >= per_channel(threshold)) != per_channel(flip)
    return {s.output: ~positive}
