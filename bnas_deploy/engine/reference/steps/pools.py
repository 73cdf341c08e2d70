"""The meaning of the pools."""

from __future__ import annotations

import numpy as np

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.reference.steps.state import MEANING, Assigned, State, per_channel, taps
from bnas_deploy.format import steps as op

ROWS = 64
"""Of 16 pixels, that are added one after the other at a time."""


@MEANING.of(op.MaxPool2d)
def _max_pool2d(s: op.MaxPool2d, state: State) -> Assigned:
    x = state.values[s.input]
    c, ho, wo = state.shapes[s.output]
    m = np.full((len(x), c, ho, wo), -np.inf, np.float32)
    for _, to, source in taps(x.shape[2:], (ho, wo), s):
        m[to] = np.where(x[source] > m[to], x[source], m[to])
    return {s.output: m}


@MEANING.of(op.AvgPool2d)
def _avg_pool2d(s: op.AvgPool2d, state: State) -> Assigned:
    x = state.values[s.input]
    c, ho, wo = state.shapes[s.output]
    total = np.zeros((len(x), c, ho, wo), np.float32)
    count = np.zeros((ho, wo), np.float32)
    for _, to, source in taps(x.shape[2:], (ho, wo), s):
        total[to] += x[source]
        count[to] += 1
    return {s.output: total / count}


@MEANING.of(op.GlobalAvgPool)
def _global_avg_pool(s: op.GlobalAvgPool, state: State) -> Assigned:
    c, h, w = state.shapes[s.input]
    x = state.values[s.input].reshape(-1, c, h * w)  # (N, C, P)
    sums = np.zeros((len(x), c, 16), np.float32)
    whole = h * w // 16 * 16
    for start in range(0, whole, ROWS * 16):
        count = min(ROWS, (whole - start) // 16)
        rows = x[..., start : start + count * 16].reshape(len(x), c, count, 16)
        rows = np.concatenate((sums[..., None, :], rows), axis=-2)
        sums = np.add.accumulate(rows, axis=-2)[..., -1, :]
    sums[..., : h * w - whole] += x[..., whole:]
    for half in (8, 4, 2, 1):
        sums = sums[..., :half] + sums[..., half : 2 * half]
    return {s.output: (sums / np.float32(h * w))[..., None]}


@MEANING.of(op.BinaryMaxPool2d)
def _binary_max_pool2d(s: op.BinaryMaxPool2d, state: State) -> Assigned:
    """Of booleans, True is -1: the greatest sign is negative where all of a window are."""
    x = state.values[s.input]
    c, ho, wo = state.shapes[s.output]
    least = np.zeros(c, bool) if s.minimum is None else unpack_rows(state.tensors[s.minimum], c)
    inverted = x ^ per_channel(least)
    negative = np.ones((len(x), c, ho, wo), bool)
    for _, to, source in taps(x.shape[2:], (ho, wo), s):
        negative[to] &= inverted[source]
    return {s.output: negative ^ per_channel(least)}
