"""The rules of the convolutions: what they may read and what they assign; the others in `shapes`.

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

__all__ = [
    "CONVOLUTIONS",
    "DOT_LIMIT",
    "Assigned",
    "check_slice",
    "f32",
    "window_extent",
    "windows",
]

DOT_LIMIT = 2**24
SUM_LIMIT = 2**31
LARGEST_INPUT = 127
LEAST_WEIGHT = -127
WINDOW_LIMIT = 65_536

Assigned = list[tuple[str, Value]]


def f32(name: str, *shape: int) -> tuple[str, Value]:
    """A float value of shape (C, H, W), by name."""
    c, h, w = shape
    return name, Value("f32", (c, h, w))


def window_extent(
    size: int, *, kernel: int, stride: int, before: int, after: int, dilation: int = 1
) -> int:
    """Output pixels along one axis; less than 1 where the window does not fit."""
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


def windows(s: op.Windowed, scope: Scope, shape: Shape, kernel: tuple[int, int]) -> tuple[int, int]:
    """Check a window on a value and return the height and width that it makes."""
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


def _group_channels(s: op.GroupedConv2d | op.BinaryGroupedConv2d, scope: Scope, c: int) -> int:
    """Channels that an output reads; the outputs are checked by `_check_groups`."""
    scope.extents("groups", (s.groups,))
    if c % s.groups:
        scope.fail(f"field 'groups': {s.groups} do not divide {c} channels")
    return c // s.groups


def _check_groups(scope: Scope, groups: int, outputs: int) -> None:
    if outputs % groups:
        scope.fail(f"field 'groups': {groups} do not divide {outputs} outputs")


def _conv2d(s: op.Conv2d | op.GroupedConv2d, scope: Scope) -> Assigned:
    shape = scope.value(s.input, "f32")
    c = _group_channels(s, scope, shape[0]) if isinstance(s, op.GroupedConv2d) else shape[0]
    weight = scope.tensor_of("weight", s.weight, "f32")
    if weight.ndim != 4 or weight.shape[1] != c:
        scope.fail(f"field 'weight': expected shape (O, {c}, kh, kw), got {weight.shape}")
    o, _, kh, kw = weight.shape
    if isinstance(s, op.GroupedConv2d):
        _check_groups(scope, s.groups, o)
    scope.floats("weight", s.weight, (o, c, kh, kw))
    if s.bias is not None:
        scope.floats("bias", s.bias, (o,))
    scope.activation(s.activation)
    return [f32(s.output, o, *windows(s, scope, shape, (kh, kw)))]


def _binary_conv2d(s: op.BinaryConv2d | op.BinaryGroupedConv2d, scope: Scope) -> Assigned:
    shape = scope.value(s.input, "bits")
    c = _group_channels(s, scope, shape[0]) if isinstance(s, op.BinaryGroupedConv2d) else shape[0]
    size = windows(s, scope, shape, s.kernel)
    weight = scope.tensor_of("weight", s.weight, "u64")
    if weight.ndim != 2 or not len(weight):
        scope.fail(f"field 'weight': expected shape (O, words), got {weight.shape}")
    o, (kh, kw) = weight.shape[0], s.kernel
    if isinstance(s, op.BinaryGroupedConv2d):
        _check_groups(scope, s.groups, o)
    scope.packed("weight", s.weight, (o,), kh * kw * c)
    bound = kh * kw * c + _fold_bound(s, scope, o)
    if bound >= DOT_LIMIT:
        scope.fail(f"a dot product can reach {bound}, and must stay below {DOT_LIMIT}")
    return _stages(s.stages, scope, (o, *size))


def _binary_depthwise_conv2d(s: op.BinaryDepthwiseConv2d, scope: Scope) -> Assigned:
    c, h, w = scope.value(s.input, "bits")
    size = windows(s, scope, (c, h, w), s.kernel)
    scope.packed("weight", s.weight, (c,), math.prod(s.kernel))
    return _stages(s.stages, scope, (c, *size))


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
    size = windows(s, scope, (c, h, w), (kh, kw))
    _check_sums(scope, weight, offset)
    scope.activation(s.activation)
    return [f32(s.output, o, *size)]


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


def _fold_bound(s: op.BinaryConv2d | op.BinaryGroupedConv2d, scope: Scope, o: int) -> int:
    if s.fold is None:
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
    if isinstance(stage, op.AffineStage):
        scope.floats("stages.shift", stage.shift, (o,))
    scope.activation(stage.activation)
    if stage.addend is None:
        if stage.at != 0:
            scope.fail(f"field 'at' must be 0 without an addend, got {stage.at}")
        return stage.output, Value("f32", shape)
    addend = scope.value(stage.addend, "f32", "addend")
    check_slice(scope, whole=addend, part=shape, at=stage.at)
    return stage.output, Value("f32", addend)


def check_slice(scope: Scope, *, whole: Shape, part: Shape, at: int) -> None:
    """Check that a part fits into channels at ... of a whole."""
    if whole[1:] != part[1:]:
        scope.fail(f"cannot add {list(part[1:])} pixels to {list(whole[1:])}; they must be equal")
    if not 0 <= at <= whole[0] - part[0]:
        scope.fail(f"field 'at': {part[0]} channels at {at} do not lie within {whole[0]}")


CONVOLUTIONS: dict[str, Callable[[Any, Scope], Assigned]] = {
    op.Conv2d.OP: _conv2d,
    op.GroupedConv2d.OP: _conv2d,
    op.BinaryConv2d.OP: _binary_conv2d,
    op.BinaryGroupedConv2d.OP: _binary_conv2d,
    op.BinaryDepthwiseConv2d.OP: _binary_depthwise_conv2d,
    op.QuantizedConv2d.OP: _quantized_conv2d,
}
