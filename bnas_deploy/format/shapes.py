"""The rules of each step: what it may read and what it assigns; not the program as a whole.

Shapes: C in, O out, H W pixels. Numbers come from hostile files: they are bounded before they are
used, and Python's integers do not overflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bnas_deploy.format import steps as op
from bnas_deploy.format.program import Value
from bnas_deploy.format.scope import Scope, Shape
from bnas_deploy.format.shapes_conv import (
    CONVOLUTIONS,
    DOT_LIMIT,
    Assigned,
    check_slice,
    f32,
    window_extent,
    windows,
)

__all__ = ["DOT_LIMIT", "infer", "window_extent"]


def infer(step: op.Step, scope: Scope) -> Assigned:
    """Check a step and return the values that it assigns, by name.

    Raises:
        FormatError: The step breaks a rule of docs/format.md.
    """
    return RULES[step.OP](step, scope)


def _affine(s: op.Affine, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    scope.floats("scale", s.scale, (c,))
    scope.floats("shift", s.shift, (c,))
    return [f32(s.output, c, h, w)]


def _unary(s: op.Relu | op.Sigmoid, scope: Scope) -> Assigned:
    return [f32(s.output, *scope.value(s.input, "f32"))]


def _prelu(s: op.Prelu, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    scope.floats("slope", s.slope, (c,))
    return [f32(s.output, c, h, w)]


def _clip(s: op.Clip, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    low = scope.tensor("low", s.low, "f32", (c,))
    high = scope.tensor("high", s.high, "f32", (c,))
    if not (low <= high).all():  # nor is NaN
        scope.fail("field 'low' must not be greater than 'high', and neither NaN")
    return [f32(s.output, c, h, w)]


def _constant(s: op.Constant, scope: Scope) -> Assigned:
    value = scope.tensor_of("value", s.value, "f32")
    if value.ndim != 3:
        scope.fail(f"field 'value': expected shape (C, H, W), got {value.shape}")
    scope.extents("value", value.shape)
    scope.floats("value", s.value, value.shape)
    return [f32(s.output, *value.shape)]


def _binarize(s: op.Binarize, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    threshold = scope.tensor("threshold", s.threshold, "f32", (c,))
    if np.isnan(threshold).any():
        scope.fail(f"field 'threshold': tensor {s.threshold!r} holds NaN")
    scope.packed("flip", s.flip, (), c)
    return [(s.output, Value("bits", (c, h, w)))]


def _mean_magnitude(s: op.MeanMagnitude, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    scope.floats("scale", s.scale, (c,))
    scope.floats("shift", s.shift, (c,))
    scope.floats("terms", s.terms, (2,))
    return [f32(s.output, 1, h, w)]


def _multiply(s: op.Multiply, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    factor = scope.value(s.factor, "f32", "factor")
    if factor[0] not in (1, c) or factor[1:] not in ((1, 1), (h, w)):
        shapes = f"({c} or 1, {h}, {w}) or ({c} or 1, 1, 1)"
        scope.fail(f"field 'factor' needs a value of shape {shapes}, got {list(factor)}")
    return [f32(s.output, c, h, w)]


def _pool(s: op.MaxPool2d | op.AvgPool2d, scope: Scope) -> Assigned:
    shape = scope.value(s.input, "f32")
    return [f32(s.output, shape[0], *_pool_size(s, scope, shape))]


def _pool_size(
    s: op.MaxPool2d | op.AvgPool2d | op.BinaryMaxPool2d, scope: Scope, shape: Shape
) -> tuple[int, int]:
    size = windows(s, scope, shape, s.kernel)
    if any(p >= s.kernel[i % 2] for i, p in enumerate(s.padding)):
        scope.fail(f"padding {list(s.padding)} must be less than the kernel {list(s.kernel)}")
    return size


def _binary_max_pool2d(s: op.BinaryMaxPool2d, scope: Scope) -> Assigned:
    shape = scope.value(s.input, "bits")
    if s.minimum is not None:
        scope.packed("minimum", s.minimum, (), shape[0])
    return [(s.output, Value("bits", (shape[0], *_pool_size(s, scope, shape))))]


def _add_slice(s: op.AddSlice, scope: Scope) -> Assigned:
    whole = scope.value(s.input, "f32")
    check_slice(scope, whole=whole, part=scope.value(s.addend, "f32", "addend"), at=s.at)
    return [f32(s.output, *whole)]


def _concat(s: op.Concat, scope: Scope) -> Assigned:
    if len(s.inputs) < 2:
        scope.fail(f"field 'inputs' must name two values or more, got {len(s.inputs)}")
    shapes = [scope.value(name, "f32", "inputs") for name in s.inputs]
    _, h, w = shapes[0]
    if any(shape[1:] != (h, w) for shape in shapes):
        scope.fail(f"field 'inputs': all must have the same pixels, got {[s[1:] for s in shapes]}")
    return [f32(s.output, sum(shape[0] for shape in shapes), h, w)]


def _select_channels(s: op.SelectChannels, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    index = scope.tensor_of("index", s.index, "i32")
    if index.ndim != 1:
        scope.fail(f"field 'index': expected one dimension, got {index.ndim}")
    if index.size and not -1 <= int(index.min()) <= int(index.max()) < c:
        scope.fail(f"field 'index': entries must lie between -1 and {c - 1}")
    return [f32(s.output, len(index), h, w)]


def _global_avg_pool(s: op.GlobalAvgPool, scope: Scope) -> Assigned:
    return [f32(s.output, scope.value(s.input, "f32")[0], 1, 1)]


def _linear(s: op.Linear, scope: Scope) -> Assigned:
    k = math.prod(scope.value(s.input, "f32"))
    weight = scope.tensor_of("weight", s.weight, "f32")
    if weight.ndim != 2 or weight.shape[1] != k:
        scope.fail(f"field 'weight': expected shape (O, {k}), got {weight.shape}")
    scope.floats("weight", s.weight, weight.shape)
    if s.bias is not None:
        scope.floats("bias", s.bias, weight.shape[:1])
    return [f32(s.output, len(weight), 1, 1)]


RULES: dict[str, Callable[[Any, Scope], Assigned]] = {
    **CONVOLUTIONS,
    op.Affine.OP: _affine,
    op.Relu.OP: _unary,
    op.Sigmoid.OP: _unary,
    op.Prelu.OP: _prelu,
    op.Clip.OP: _clip,
    op.Constant.OP: _constant,
    op.BinaryMaxPool2d.OP: _binary_max_pool2d,
    op.Binarize.OP: _binarize,
    op.MaxPool2d.OP: _pool,
    op.AvgPool2d.OP: _pool,
    op.AddSlice.OP: _add_slice,
    op.MeanMagnitude.OP: _mean_magnitude,
    op.Multiply.OP: _multiply,
    op.Concat.OP: _concat,
    op.SelectChannels.OP: _select_channels,
    op.GlobalAvgPool.OP: _global_avg_pool,
    op.Linear.OP: _linear,
}
