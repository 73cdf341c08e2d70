"""The meaning of the steps that arrange or combine channels."""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.reference.arithmetic import fma, relu
from bnas_deploy.engine.reference.steps.state import MEANING, Assigned, State
from bnas_deploy.format import steps as op


@MEANING.of(op.AddSlice)
def _add_slice(s: op.AddSlice, state: State) -> Assigned:
    addend = state.values[s.addend]
    y = state.values[s.input].copy()
    y[:, s.at : s.at + addend.shape[1]] += addend
    return {s.output: y}


@MEANING.of(op.MeanMagnitude)
def _mean_magnitude(s: op.MeanMagnitude, state: State) -> Assigned:
    x, scale, shift = state.values[s.input], state.tensors[s.scale], state.tensors[s.shift]
    factor, rest = state.tensors[s.terms]
    total = np.zeros_like(x[:, :1])
    for c in range(x.shape[1]):
        t = fma(x[:, c : c + 1], scale[c], shift[c])
        total = total + (relu(t) + relu(-t))  # so that NaN is 0
    return {s.output: fma(total, factor, rest)}


@MEANING.of(op.Concat)
def _concat(s: op.Concat, state: State) -> Assigned:
    return {s.output: np.concatenate([state.values[x] for x in s.inputs], axis=1)}


@MEANING.of(op.SelectChannels)
def _select_channels(s: op.SelectChannels, state: State) -> Assigned:
    x, index = state.values[s.input], state.tensors[s.index]
    y = np.zeros((len(x), *state.shapes[s.output]), np.float32)
    y[:, index >= 0] = x[:, index[index >= 0]]
    return {s.output: y}
