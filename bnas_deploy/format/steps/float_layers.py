"""The convolutions and the linear layer in full precision, and the convolution in 8 bits.

Shapes: C channels in, O channels out, kh kw the kernel, K elements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bnas_deploy.format.fields import (
    Activation,
    Extents,
    Groups,
    Margins,
    OptionalTensorName,
    Reads,
    TensorName,
    Writes,
)
from bnas_deploy.format.scope import Scope
from bnas_deploy.format.steps.step import Count, Step, Tensors, Values
from bnas_deploy.format.steps.windows import FLOAT_WORK, output_size, window_positions
from bnas_deploy.format.values import Assigned, floats

__all__ = ["Conv2d", "GroupedConv2d", "Linear", "QuantizedConv2d"]

SUM_LIMIT = 2**31
LARGEST_INPUT = 127
LEAST_WEIGHT = -127
EIGHT_BIT_WORK = 8


class _Convolution(Step):
    """Base of the convolutions whose weights are (O, C / groups, kh, kw)."""

    WORK: ClassVar[int]
    input: str
    output: str
    weight: str

    def count(self, values: Values, tensors: Tensors) -> Count:
        """Every weight is used once per output pixel; taps on padding count."""
        outputs, depth, *kernel = tensors[self.weight].shape
        positions = window_positions(values[self.output].shape, tuple(kernel))
        macs = positions * outputs * depth
        terms = values[self.input].shape[0] * math.prod(kernel)
        return Count(
            tensors[self.weight].size, terms, positions, macs * self.WORK, **self._macs(macs)
        )

    def _macs(self, macs: int) -> dict[str, int]:
        return {"float_macs": macs}


@dataclass(frozen=True)
class Conv2d(_Convolution, op="conv2d"):
    """Float convolution (O, C, kh, kw) with optional bias (O,) and activation, FMA in order."""

    WORK: ClassVar[int] = FLOAT_WORK
    groups: ClassVar[int] = 1
    input: Reads
    output: Writes
    weight: TensorName
    bias: OptionalTensorName
    stride: Extents
    padding: Margins
    dilation: Extents
    activation: Activation

    def _rule(self, scope: Scope) -> Assigned:
        return _float_convolution(self, scope)


@dataclass(frozen=True)
class GroupedConv2d(_Convolution, op="grouped_conv2d", since=(1, 3)):
    """Float convolution in groups, (O, C/groups, kh, kw): as `Conv2d` on each group's channels."""

    WORK: ClassVar[int] = FLOAT_WORK
    input: Reads
    output: Writes
    weight: TensorName
    bias: OptionalTensorName
    groups: Groups
    stride: Extents
    padding: Margins
    dilation: Extents
    activation: Activation

    def _rule(self, scope: Scope) -> Assigned:
        return _float_convolution(self, scope)


def _float_convolution(s: Conv2d | GroupedConv2d, scope: Scope) -> Assigned:
    shape = scope.value(s.input, "f32")
    c = scope.divided(s.groups, shape[0], "channels")
    o, kh, kw = _weight(s.weight, scope, "f32", c)
    scope.divided(s.groups, o, "outputs")
    scope.floats("weight", s.weight, (o, c, kh, kw))
    if s.bias is not None:
        scope.floats("bias", s.bias, (o,))
    return [floats(s.output, (o, *output_size(s, scope, shape, (kh, kw))))]


def _weight(name: str, scope: Scope, dtype: str, c: int) -> tuple[int, int, int]:
    """Outputs, kernel height and width."""
    shape = scope.tensor_of("weight", name, dtype).shape
    if len(shape) != 4 or shape[1] != c:
        scope.fail(f"field 'weight': expected shape (O, {c}, kh, kw), got {shape}")
    return shape[0], shape[2], shape[3]


@dataclass(frozen=True)
class QuantizedConv2d(_Convolution, op="quantized_conv2d", since=(1, 1)):
    """Full-precision convolution in 8 bits: weights -127..127, inputs quantised to 0..127."""

    WORK: ClassVar[int] = EIGHT_BIT_WORK
    groups: ClassVar[int] = 1
    input: Reads
    output: Writes
    weight: TensorName  # int8 (O, C, kh, kw)
    offset: TensorName  # int32 (O,): bias and zero points
    scale: TensorName  # float32 (O,): of one unit of the integer sum
    input_scale: TensorName  # float32 (C,): steps a unit of the input
    input_zero: TensorName  # float32 (C,): the step that an input of 0 falls on
    stride: Extents
    padding: Margins
    dilation: Extents
    activation: Activation

    def _rule(self, scope: Scope) -> Assigned:
        shape = scope.value(self.input, "f32")
        o, kh, kw = _weight(self.weight, scope, "i8", shape[0])
        offset = scope.tensor("offset", self.offset, "i32", (o,))
        scope.floats("scale", self.scale, (o,))
        scope.floats("input_scale", self.input_scale, shape[:1])
        scope.floats("input_zero", self.input_zero, shape[:1])
        if (scope.tensors[self.input_scale] < 0).any():
            scope.fail(f"field 'input_scale': tensor {self.input_scale!r} must not be negative")
        size = output_size(self, scope, shape, (kh, kw))
        _check_sums(scope, scope.tensors[self.weight], offset)
        return [floats(self.output, (o, *size))]

    def _macs(self, macs: int) -> dict[str, int]:
        return {"eight_bit_macs": macs}


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


@dataclass(frozen=True)
class Linear(Step, op="linear"):
    """Full-precision linear layer: weight (O, K), bias (O,), on a value of K = C*H*W elements."""

    input: Reads
    output: Writes
    weight: TensorName
    bias: OptionalTensorName

    def _rule(self, scope: Scope) -> Assigned:
        k = math.prod(scope.value(self.input, "f32"))
        shape = scope.tensor_of("weight", self.weight, "f32").shape
        if len(shape) != 2 or shape[1] != k:
            scope.fail(f"field 'weight': expected shape (O, {k}), got {shape}")
        scope.floats("weight", self.weight, shape)
        if self.bias is not None:
            scope.floats("bias", self.bias, shape[:1])
        return [floats(self.output, (shape[0], 1, 1))]

    def count(self, values: Values, tensors: Tensors) -> Count:
        """Every weight is used once."""
        size = tensors[self.weight].size
        terms = math.prod(values[self.input].shape)
        return Count(weights=size, terms=terms, work=size * FLOAT_WORK, float_macs=size)
