"""The binary convolutions: dense, in groups, depthwise.

Shapes: C channels in, O channels out, kh kw the kernel, W words per row of weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from bnas_deploy.format.fields import (
    Extents,
    Groups,
    Margins,
    OptionalTensorName,
    Padding,
    Pair,
    Reads,
    Role,
    TensorName,
)
from bnas_deploy.format.scope import Scope
from bnas_deploy.format.steps.stages import FloatStage, Stage
from bnas_deploy.format.steps.step import Count, Part, Step, Tensors, Values, Version
from bnas_deploy.format.steps.windows import output_size, window_positions
from bnas_deploy.format.values import Assigned, Shape

__all__ = [
    "DOT_LIMIT",
    "BinaryConv2d",
    "BinaryConvolution",
    "BinaryDepthwiseConv2d",
    "BinaryGroupedConv2d",
]

DOT_LIMIT = 2**24
BYTE, WORD = 8, 64

Stages = Annotated[tuple[Stage, ...], Role.STAGES]


class BinaryConvolution(Step):
    """Base of the binary convolutions: windows of bits, then stages."""

    input: str
    weight: str
    kernel: Pair
    stride: Pair
    padding: Padding
    dilation: Pair
    stages: tuple[Stage, ...]

    def parts(self) -> tuple[tuple[str, Part], ...]:
        """The step and its stages."""
        return (("", self), *((f"stages.{i}.", stage) for i, stage in enumerate(self.stages)))

    def since(self, values: Values) -> tuple[Version, str]:
        """A stage may be newer than the step."""
        newest = max(self.stages, key=lambda stage: stage.SINCE)
        if newest.SINCE > self.SINCE:
            return newest.SINCE, f"the stage {newest.KIND}"
        return self.SINCE, self.OP

    def computed(self, values: Values, tensors: Tensors) -> Shape:
        """A stage with an addend assigns more channels than the convolution has."""
        _, height, width = values[self.stages[0].output].shape
        return tensors[self.weight].shape[0], height, width

    def in_place(self) -> dict[str, str]:
        """A stage may write its sum over its addend."""
        floats = [stage for stage in self.stages if isinstance(stage, FloatStage)]
        return {stage.output: stage.addend for stage in floats if stage.addend is not None}

    def count(self, values: Values, tensors: Tensors) -> Count:
        """Every bit of a row of weights counts at every output pixel; work is done by words."""
        channels = values[self.input].shape[0]
        depth = self._depth(channels)
        shape = self.computed(values, tensors)
        taps = shape[0] * math.prod(self.kernel)
        positions = window_positions(shape, self.kernel)
        return Count(
            weights=taps * -(-depth // BYTE),
            terms=channels * math.prod(self.kernel),
            positions=positions,
            work=positions * shape[0] * -(-depth // WORD) * WORD,
            binary_macs=positions * shape[0] * depth,
        )

    def _depth(self, channels: int) -> int:
        """Channels that one output reads."""
        raise NotImplementedError

    def _infer_stages(self, scope: Scope, dots: Shape) -> Assigned:
        if not self.stages:
            scope.fail("field 'stages' must hold at least one stage")
        return [stage.infer(scope, dots) for stage in self.stages]


@dataclass(frozen=True)
class BinaryConv2d(BinaryConvolution, op="binary_conv2d"):
    """Binary convolution of bits, weights (O, W) in rows of (ky, kx, c), and its output stages."""

    groups: ClassVar[int] = 1
    input: Reads
    weight: TensorName
    fold: OptionalTensorName  # int32 (O, kh, kw): constant channels, added for each tap inside
    kernel: Extents
    stride: Extents
    padding: Margins
    dilation: Extents
    stages: Stages

    def _rule(self, scope: Scope) -> Assigned:
        return self._infer_stages(scope, _dot_products(self, scope))

    def _depth(self, channels: int) -> int:
        return channels


@dataclass(frozen=True)
class BinaryGroupedConv2d(BinaryConvolution, op="binary_grouped_conv2d", since=(1, 3)):
    """Binary convolution in groups: output o reads the C/groups channels of its group alone.

    Weights (O, W) in rows of (ky, kx, c), c from 0 to C/groups - 1; otherwise as `BinaryConv2d`.
    """

    input: Reads
    weight: TensorName
    fold: OptionalTensorName  # int32 (O, kh, kw)
    groups: Groups
    kernel: Extents
    stride: Extents
    padding: Margins
    dilation: Extents
    stages: Stages

    def _rule(self, scope: Scope) -> Assigned:
        return self._infer_stages(scope, _dot_products(self, scope))

    def _depth(self, channels: int) -> int:
        return channels // self.groups


def _dot_products(s: BinaryConv2d | BinaryGroupedConv2d, scope: Scope) -> Shape:
    shape = scope.value(s.input, "bits")
    c = scope.divided(s.groups, shape[0], "channels")
    size = output_size(s, scope, shape, s.kernel)
    weight = scope.tensor_of("weight", s.weight, "u64")
    if weight.ndim != 2 or not len(weight):
        scope.fail(f"field 'weight': expected shape (O, words), got {weight.shape}")
    o, taps = len(weight), math.prod(s.kernel)
    scope.divided(s.groups, o, "outputs")
    scope.packed("weight", s.weight, (o,), taps * c)
    bound = taps * c + _fold_bound(s, scope, o)
    if bound >= DOT_LIMIT:
        scope.fail(f"a dot product can reach {bound}, and must stay below {DOT_LIMIT}")
    return (o, *size)


def _fold_bound(s: BinaryConv2d | BinaryGroupedConv2d, scope: Scope, o: int) -> int:
    if s.fold is None:
        return 0
    fold = scope.tensor("fold", s.fold, "i32", (o, *s.kernel))
    return int(np.abs(fold.astype(np.int64)).sum(axis=(1, 2)).max())


@dataclass(frozen=True)
class BinaryDepthwiseConv2d(BinaryConvolution, op="binary_depthwise_conv2d", since=(1, 2)):
    """Binary convolution of each channel alone, weights (C, W) in rows of (ky, kx), and stages."""

    input: Reads
    weight: TensorName
    kernel: Extents
    stride: Extents
    padding: Margins
    dilation: Extents
    stages: Stages

    def _rule(self, scope: Scope) -> Assigned:
        shape = scope.value(self.input, "bits")
        size = output_size(self, scope, shape, self.kernel)
        scope.packed("weight", self.weight, shape[:1], math.prod(self.kernel))
        return self._infer_stages(scope, (shape[0], *size))

    def _depth(self, channels: int) -> int:
        return 1
