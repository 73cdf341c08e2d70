"""The meaning of the binary convolutions and their stages.

Shapes: N batch, C in, O out, K = kh*kw*C bits per row of weights.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.reference.steps.state import (
    MEANING,
    Array,
    Assigned,
    State,
    activate,
    per_channel,
    taps,
)
from bnas_deploy.format.steps import (
    AffineStage,
    BinaryConv2d,
    BinaryDepthwiseConv2d,
    BinaryGroupedConv2d,
    FloatStage,
    Stage,
    ThresholdStage,
)

__all__ = ["depthwise_dot_products", "dot_products"]


def signs(negative: Array) -> Array:
    """Booleans to -1 (True) and +1, as float32."""
    return np.where(negative, np.float32(-1), np.float32(1))


def dot_products(s: BinaryConv2d | BinaryGroupedConv2d, state: State) -> Array:
    """The integers that the stages start from, (N, O, Ho, Wo) int32; each group by itself."""
    x = signs(state.values[s.input])
    kh, kw = s.kernel
    c = x.shape[1] // s.groups
    weight = unpack_rows(state.tensors[s.weight], kh * kw * c).reshape(-1, kh, kw, c)
    fold = np.zeros((len(weight), kh, kw), np.int32) if s.fold is None else state.tensors[s.fold]
    parts = (np.split(x, s.groups, axis=1), np.split(weight, s.groups), np.split(fold, s.groups))
    dots = [_group_dots(s, *part, state) for part in zip(*parts, strict=True)]
    return np.concatenate(dots, axis=1)


def _group_dots(
    s: BinaryConv2d | BinaryGroupedConv2d, x: Array, weight: Array, fold: Array, state: State
) -> Array:
    """Sums of at most C terms of -1 and +1 are exact in float32, because C < 2^24."""
    n, c, h, w = x.shape
    _, ho, wo = state.shapes[s.stages[0].output]
    dot = np.zeros((n, len(weight), ho, wo), np.int32)
    for (ky, kx), to, source in taps((h, w), (ho, wo), s):
        patch = x[source]  # (N, C, y, x)
        y_x = patch.shape[2:]
        tap = signs(weight[:, ky, kx]) @ patch.reshape(n, c, y_x[0] * y_x[1])
        dot[to] += tap.reshape(n, len(weight), *y_x).astype(np.int32) + per_channel(fold[:, ky, kx])
    return dot


@MEANING.of(BinaryConv2d, BinaryGroupedConv2d)
def _binary_conv2d(s: BinaryConv2d | BinaryGroupedConv2d, state: State) -> Assigned:
    """Every stage's value from the same dot products."""
    dot = dot_products(s, state)
    return {stage.output: _stage(stage, dot, state) for stage in s.stages}


def depthwise_dot_products(s: BinaryDepthwiseConv2d, state: State) -> Array:
    """The integers that the stages start from, (N, C, Ho, Wo) int32."""
    x = np.where(state.values[s.input], np.int32(-1), np.int32(1))
    n, c, h, w = x.shape
    bits = unpack_rows(state.tensors[s.weight], s.kernel[0] * s.kernel[1]).reshape(c, *s.kernel)
    weight = np.where(bits, np.int32(-1), np.int32(1))
    _, ho, wo = state.shapes[s.stages[0].output]
    dot = np.zeros((n, c, ho, wo), np.int32)
    for (ky, kx), to, source in taps((h, w), (ho, wo), s):
        dot[to] += x[source] * per_channel(weight[:, ky, kx])
    return dot


@MEANING.of(BinaryDepthwiseConv2d)
def _binary_depthwise_conv2d(s: BinaryDepthwiseConv2d, state: State) -> Assigned:
    """Every stage's value from the same dot products."""
    dot = depthwise_dot_products(s, state)
    return {stage.output: _stage(stage, dot, state) for stage in s.stages}


def _stage(stage: Stage, dot: Array, state: State) -> Array:
    if isinstance(stage, ThresholdStage):
        return _threshold(stage, dot, state)
    return _scale(stage, dot, state)


def _threshold(stage: ThresholdStage, dot: Array, state: State) -> Array:
    flip = unpack_rows(state.tensors[stage.flip], dot.shape[1])
    positive: Array = (dot >= per_channel(state.tensors[stage.threshold])) != per_channel(flip)
    return ~positive


def _scale(stage: FloatStage, dot: Array, state: State) -> Array:
    v = dot.astype(np.float32) * per_channel(state.tensors[stage.scale])
    if isinstance(stage, AffineStage):
        v = v + per_channel(state.tensors[stage.shift])
    v = activate(v, stage.activation)
    if stage.addend is None:
        return v
    y: Array = state.values[stage.addend].copy()
    y[:, stage.at : stage.at + v.shape[1]] += v
    return y
