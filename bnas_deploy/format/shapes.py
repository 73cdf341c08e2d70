"""The rules of each step: what it may read and what it assigns; not the program as a whole.

Shapes: C in, O out, H W pixels. Numbers come from hostile files: they are bounded before they are
used, and Python's integers do not overflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.format import steps as op
from bnas_deploy.format.program import Value
from bnas_deploy.format.scope import Scope, Shape

__all__ = ["DOT_LIMIT", "infer", "window_extent"]

DOT_LIMIT = 2**24
SUM_LIMIT = 2**31
LARGEST_INPUT = 127
LEAST_WEIGHT = -127
WINDOW_LIMIT = 65_536

Assigned = list[tuple[str, Value]]
Windowed = (
    op.Conv2d
    | op.BinaryConv2d
    | op.BinaryDepthwiseConv2d
    | op.QuantizedConv2d
    | op.MaxPool2d
    | op.AvgPool2d
)


def infer(step: op.Step, scope: Scope) -> Assigned:
    """Check a step and return the values that it assigns, by name.

    Raises:
        FormatError: The step breaks a rule of docs/format.md.
    """
    return RULES[step.OP](step, scope)


def window_extent(
    size: int, *, kernel: int, stride: int, before: int, after: int, dilation: int = 1
) -> int:
    """Output pixels along one axis; less than 1 where the window does not fit."""
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


def _f32(name: str, *shape: int) -> tuple[str, Value]:
    c, h, w = shape
    return name, Value("f32", (c, h, w))


def _affine(s: op.Affine, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    scope.floats("scale", s.scale, (c,))
    scope.floats("shift", s.shift, (c,))
    return [_f32(s.output, c, h, w)]


def _relu(s: op.Relu, scope: Scope) -> Assigned:
    return [_f32(s.output, *scope.value(s.input, "f32"))]


def _windows(s: Windowed, scope: Scope, shape: Shape, kernel: tuple[int, int]) -> tuple[int, int]:
    dilation = getattr(s, "dilation", (1, 1))
    scope.extents("kernel", kernel)
    if math.prod(kernel) > WINDOW_LIMIT:
        scope.fail(f"field 'kernel': a window has at most {WINDOW_LIMIT} positions, got {kernel}")
    scope.extents("stride", s.stride)
    scope.extents("dilation", dilation)
    scope.extents("padding", s.padding, least=0)
    size = [
        window_extent(
            shape[axis + 1],
            kernel=kernel[axis],
            stride=s.stride[axis],
            before=s.padding[axis],
            after=s.padding[axis + 2],
            dilation=dilation[axis],
        )
        for axis in (0, 1)
    ]
    if min(size) < 1:
        scope.fail(f"the window does not fit into {shape[1]} x {shape[2]} pixels and the padding")
    return size[0], size[1]


def _conv2d(s: op.Conv2d, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    weight = scope.tensor_of("weight", s.weight, "f32")
    if weight.ndim != 4 or weight.shape[1] != c:
        scope.fail(f"field 'weight': expected shape (O, {c}, kh, kw), got {weight.shape}")
    o, _, kh, kw = weight.shape
    scope.floats("weight", s.weight, (o, c, kh, kw))
    if s.bias is not None:
        scope.floats("bias", s.bias, (o,))
    scope.activation(s.activation)
    return [_f32(s.output, o, *_windows(s, scope, (c, h, w), (kh, kw)))]


def _binarize(s: op.Binarize, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    threshold = scope.tensor("threshold", s.threshold, "f32", (c,))
    if np.isnan(threshold).any():
        scope.fail(f"field 'threshold': tensor {s.threshold!r} holds NaN")
    scope.packed("flip", s.flip, (), c)
    return [(s.output, Value("bits", (c, h, w)))]


def _binary_conv2d(s: op.BinaryConv2d, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "bits")
    size = _windows(s, scope, (c, h, w), s.kernel)
    weight = scope.tensor_of("weight", s.weight, "u64")
    if weight.ndim != 2:
        scope.fail(f"field 'weight': expected shape (O, words), got {weight.shape}")
    o, (kh, kw) = weight.shape[0], s.kernel
    scope.packed("weight", s.weight, (o,), kh * kw * c)
    bound = kh * kw * c + _fold_bound(s, scope, o)
    if bound >= DOT_LIMIT:
        scope.fail(f"a dot product can reach {bound}, and must stay below {DOT_LIMIT}")
    return _stages(s.stages, scope, (o, *size))


def _binary_depthwise_conv2d(s: op.BinaryDepthwiseConv2d, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "bits")
    size = _windows(s, scope, (c, h, w), s.kernel)
    scope.packed("weight", s.weight, (c,), math.prod(s.kernel))
    return _stages(s.stages, scope, (c, *size))


def _mean_magnitude(s: op.MeanMagnitude, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    scope.floats("scale", s.scale, (c,))
    scope.floats("shift", s.shift, (c,))
    scope.floats("terms", s.terms, (2,))
    return [_f32(s.output, 1, h, w)]


def _multiply(s: op.Multiply, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    factor = scope.value(s.factor, "f32", "factor")
    if factor != (1, h, w):
        scope.fail(f"field 'factor' needs a value of shape {[1, h, w]}, got {list(factor)}")
    return [_f32(s.output, c, h, w)]


def _quantized_conv2d(s: op.QuantizedConv2d, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    weight = scope.tensor_of("weight", s.weight, "i8")
    if weight.ndim != 4 or weight.shape[1] != c:
        scope.fail(f"field 'weight': expected shape (O, {c}, kh, kw), got {weight.shape}")
    o, _, kh, kw = weight.shape
    offset = scope.tensor("offset", s.offset, "i32", (o,))
    scope.floats("scale", s.scale, (o,))
    scope.floats("input_scale", s.input_scale, (c,))
    scope.floats("input_zero", s.input_zero, (c,))
    if (scope.tensors[s.input_scale] < 0).any():
        scope.fail(f"field 'input_scale': tensor {s.input_scale!r} must not be negative")
    size = _windows(s, scope, (c, h, w), (kh, kw))
    _check_sums(scope, weight, offset)
    scope.activation(s.activation)
    return [_f32(s.output, o, *size)]


def _check_sums(scope: Scope, weight: npt.NDArray[Any], offset: npt.NDArray[Any]) -> None:
    if not weight.size:
        return
    if int(weight.min()) < LEAST_WEIGHT:
        # Its magnitude is 128, and kernels add two products in 16 bits.
        scope.fail("field 'weight': weights must lie between -127 and 127, got -128")
    sums = np.abs(weight.astype(np.int16)).sum(axis=(1, 2, 3), dtype=np.int64)
    bound = int((np.abs(offset.astype(np.int64)) + LARGEST_INPUT * sums).max())
    if bound >= SUM_LIMIT:
        scope.fail(f"an integer sum can reach {bound}, and must stay below {SUM_LIMIT}")


def _fold_bound(s: op.BinaryConv2d, scope: Scope, o: int) -> int:
    if s.fold is None or o == 0:
        return 0
    fold = scope.tensor("fold", s.fold, "i32", (o, *s.kernel))
    return int(np.abs(fold.astype(np.int64)).sum(axis=(1, 2)).max())


def _stages(stages: tuple[op.Stage, ...], scope: Scope, shape: Shape) -> Assigned:
    if not stages:
        scope.fail("field 'stages' must hold at least one stage")
    return [_stage(stage, scope, shape) for stage in stages]


def _stage(stage: op.Stage, scope: Scope, shape: Shape) -> tuple[str, Value]:
    o = shape[0]
    if isinstance(stage, op.ThresholdStage):
        scope.tensor("stages.threshold", stage.threshold, "i32", (o,))
        scope.packed("stages.flip", stage.flip, (), o)
        return stage.output, Value("bits", shape)
    scope.floats("stages.scale", stage.scale, (o,))
    scope.activation(stage.activation)
    if stage.addend is None:
        if stage.at != 0:
            scope.fail(f"field 'at' must be 0 without an addend, got {stage.at}")
        return stage.output, Value("f32", shape)
    addend = scope.value(stage.addend, "f32", "addend")
    _check_slice(scope, whole=addend, part=shape, at=stage.at)
    return stage.output, Value("f32", addend)


def _check_slice(scope: Scope, *, whole: Shape, part: Shape, at: int) -> None:
    if whole[1:] != part[1:]:
        scope.fail(f"cannot add {list(part[1:])} pixels to {list(whole[1:])}; they must be equal")
    if not 0 <= at <= whole[0] - part[0]:
        scope.fail(f"field 'at': {part[0]} channels at {at} do not lie within {whole[0]}")


def _pool(s: op.MaxPool2d | op.AvgPool2d, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    size = _windows(s, scope, (c, h, w), s.kernel)
    if any(p >= s.kernel[i % 2] for i, p in enumerate(s.padding)):
        scope.fail(f"padding {list(s.padding)} must be less than the kernel {list(s.kernel)}")
    return [_f32(s.output, c, *size)]


def _add_slice(s: op.AddSlice, scope: Scope) -> Assigned:
    whole = scope.value(s.input, "f32")
    _check_slice(scope, whole=whole, part=scope.value(s.addend, "f32", "addend"), at=s.at)
    return [_f32(s.output, *whole)]


def _concat(s: op.Concat, scope: Scope) -> Assigned:
    if len(s.inputs) < 2:
        scope.fail(f"field 'inputs' must name two values or more, got {len(s.inputs)}")
    shapes = [scope.value(name, "f32", "inputs") for name in s.inputs]
    _, h, w = shapes[0]
    if any(shape[1:] != (h, w) for shape in shapes):
        scope.fail(f"field 'inputs': all must have the same pixels, got {[s[1:] for s in shapes]}")
    return [_f32(s.output, sum(shape[0] for shape in shapes), h, w)]


def _select_channels(s: op.SelectChannels, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "f32")
    index = scope.tensor_of("index", s.index, "i32")
    if index.ndim != 1:
        scope.fail(f"field 'index': expected one dimension, got {index.ndim}")
    if index.size and not -1 <= int(index.min()) <= int(index.max()) < c:
        scope.fail(f"field 'index': entries must lie between -1 and {c - 1}")
    return [_f32(s.output, len(index), h, w)]


def _global_avg_pool(s: op.GlobalAvgPool, scope: Scope) -> Assigned:
    return [_f32(s.output, scope.value(s.input, "f32")[0], 1, 1)]


def _linear(s: op.Linear, scope: Scope) -> Assigned:
    k = math.prod(scope.value(s.input, "f32"))
    weight = scope.tensor_of("weight", s.weight, "f32")
    if weight.ndim != 2 or weight.shape[1] != k:
        scope.fail(f"field 'weight': expected shape (O, {k}), got {weight.shape}")
    scope.floats("weight", s.weight, weight.shape)
    if s.bias is not None:
        scope.floats("bias", s.bias, weight.shape[:1])
    return [_f32(s.output, len(weight), 1, 1)]


RULES: dict[str, Callable[[Any, Scope], Assigned]] = {
    op.Affine.OP: _affine,
    op.Relu.OP: _relu,
    op.Conv2d.OP: _conv2d,
    op.Binarize.OP: _binarize,
    op.BinaryConv2d.OP: _binary_conv2d,
    op.BinaryDepthwiseConv2d.OP: _binary_depthwise_conv2d,
    op.QuantizedConv2d.OP: _quantized_conv2d,
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
