"""The meaning of the convolutions and the linear layer in full precision."""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.reference.arithmetic import fma
from bnas_deploy.engine.reference.steps.state import (
    MEANING,
    Array,
    Assigned,
    State,
    activate,
    per_channel,
    taps_of,
)
from bnas_deploy.format import steps as op


@MEANING.of(op.Conv2d, op.GroupedConv2d)
def _conv2d(s: op.Conv2d | op.GroupedConv2d, state: State) -> Assigned:
    x, weight = state.values[s.input], state.tensors[s.weight]
    bias = np.zeros(len(weight), np.float32) if s.bias is None else state.tensors[s.bias]
    parts = (np.split(x, s.groups, axis=1), np.split(weight, s.groups), np.split(bias, s.groups))
    sums = [_group_sums(s, *part, state.shapes[s.output]) for part in zip(*parts, strict=True)]
    return {s.output: activate(np.concatenate(sums, axis=1), s.activation)}


def _group_sums(
    s: op.Conv2d | op.GroupedConv2d, x: Array, weight: Array, bias: Array, shape: tuple[int, ...]
) -> Array:
    o, c, *kernel = weight.shape
    _, ho, wo = shape
    acc = np.zeros((len(x), o, ho, wo), np.float32)
    acc[:] = per_channel(bias)
    for ci in range(c):
        for (ky, kx), to, source in taps_of(x.shape[2:], (ho, wo), s, (kernel[0], kernel[1])):
            patch = np.zeros((len(x), 1, ho, wo), np.float32)  # outside the image x is +0
            patch[to] = x[:, ci : ci + 1][source]
            acc = fma(per_channel(weight[:, ci, ky, kx]), patch, acc)
    return acc


@MEANING.of(op.Linear)
def _linear(s: op.Linear, state: State) -> Assigned:
    x, weight = state.values[s.input], state.tensors[s.weight]
    o, k = weight.shape
    x = x.reshape(-1, k)  # (N, K)
    acc = np.zeros((len(x), o), np.float32)
    if s.bias is not None:
        acc[:] = state.tensors[s.bias]
    for i in range(k):
        acc = fma(weight[:, i], x[:, i, None], acc)
    return {s.output: acc[:, :, None, None]}
