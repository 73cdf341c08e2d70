"""The pools: of floats, of bits, of a whole image. Shapes: C channels, H W pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bnas_deploy.format.fields import (
    Extents,
    Margins,
    OptionalTensorName,
    Padding,
    Pair,
    Reads,
    Writes,
)
from bnas_deploy.format.scope import Scope
from bnas_deploy.format.steps.step import Count, Step, Tensors, Values
from bnas_deploy.format.steps.windows import FLOAT_WORK, output_size, window_positions
from bnas_deploy.format.values import Assigned, Shape, bits, floats

__all__ = ["AvgPool2d", "BinaryMaxPool2d", "GlobalAvgPool", "MaxPool2d"]


class _Pool(Step):
    """Base of the pools with a window."""

    input: str
    output: str
    kernel: Pair
    stride: Pair
    padding: Padding
    dilation: ClassVar[Pair] = (1, 1)

    def _shape(self, scope: Scope, shape: Shape) -> Shape:
        height, width = output_size(self, scope, shape, self.kernel)
        if any(p >= self.kernel[i % 2] for i, p in enumerate(self.padding)):
            kernel = list(self.kernel)
            scope.fail(f"padding {list(self.padding)} must be less than the kernel {kernel}")
        return shape[0], height, width

    def count(self, values: Values, tensors: Tensors) -> Count:
        """One comparison or addition per position of a window."""
        shape = values[self.output].shape
        positions = window_positions(shape, self.kernel)
        return Count(
            terms=shape[0] * math.prod(self.kernel),
            positions=positions,
            work=positions * shape[0] * FLOAT_WORK,
        )


@dataclass(frozen=True)
class MaxPool2d(_Pool, op="max_pool2d"):
    """Maximum over each window; positions outside the image do not take part."""

    input: Reads
    output: Writes
    kernel: Extents
    stride: Extents
    padding: Margins

    def _rule(self, scope: Scope) -> Assigned:
        return [floats(self.output, self._shape(scope, scope.value(self.input, "f32")))]


@dataclass(frozen=True)
class AvgPool2d(_Pool, op="avg_pool2d"):
    """Mean over each window; positions outside the image are not counted."""

    input: Reads
    output: Writes
    kernel: Extents
    stride: Extents
    padding: Margins

    def _rule(self, scope: Scope) -> Assigned:
        return [floats(self.output, self._shape(scope, scope.value(self.input, "f32")))]


@dataclass(frozen=True)
class BinaryMaxPool2d(_Pool, op="binary_max_pool2d", since=(1, 3)):
    """Greatest sign of each window, or the least in channels whose bit of `minimum` is set."""

    input: Reads
    output: Writes
    minimum: OptionalTensorName  # packed bits (C,)
    kernel: Extents
    stride: Extents
    padding: Margins

    def _rule(self, scope: Scope) -> Assigned:
        shape = scope.value(self.input, "bits")
        if self.minimum is not None:
            scope.packed("minimum", self.minimum, (), shape[0])
        return [bits(self.output, self._shape(scope, shape))]


@dataclass(frozen=True)
class GlobalAvgPool(Step, op="global_avg_pool"):
    """Mean over all pixels of a channel, in the order that docs/format.md fixes."""

    input: Reads
    output: Writes

    def _rule(self, scope: Scope) -> Assigned:
        return [floats(self.output, (scope.value(self.input, "f32")[0], 1, 1))]
