"""The steps that look at one element at a time, and constants. Shapes: C channels, H W pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnas_deploy.format.fields import Reads, TensorName, Writes
from bnas_deploy.format.scope import Scope
from bnas_deploy.format.steps.step import Step, Values, Version
from bnas_deploy.format.values import Assigned, bits, floats

__all__ = [
    "Affine",
    "Binarize",
    "Clip",
    "Constant",
    "HardSigmoid",
    "Multiply",
    "Prelu",
    "Relu",
    "Sigmoid",
]


@dataclass(frozen=True)
class Affine(Step, op="affine"):
    """``y = x * scale[c] + shift[c]``, two roundings (an unfolded BatchNorm)."""

    input: Reads
    output: Writes
    scale: TensorName  # float32 (C,)
    shift: TensorName  # float32 (C,)

    def _rule(self, scope: Scope) -> Assigned:
        shape = scope.value(self.input, "f32")
        scope.floats("scale", self.scale, shape[:1])
        scope.floats("shift", self.shift, shape[:1])
        return [floats(self.output, shape)]


@dataclass(frozen=True)
class Relu(Step, op="relu"):
    """``y = x if x > 0 else +0``."""

    input: Reads
    output: Writes

    def _rule(self, scope: Scope) -> Assigned:
        return [floats(self.output, scope.value(self.input, "f32"))]


@dataclass(frozen=True)
class Prelu(Step, op="prelu", since=(1, 3)):
    """``y = fl(max(x, 0) + fl(slope[c] * min(x, 0)))``; NaN counts as 0 (PReLU, leaky ReLU)."""

    input: Reads
    output: Writes
    slope: TensorName  # float32 (C,)

    def _rule(self, scope: Scope) -> Assigned:
        shape = scope.value(self.input, "f32")
        scope.floats("slope", self.slope, shape[:1])
        return [floats(self.output, shape)]


@dataclass(frozen=True)
class Clip(Step, op="clip", since=(1, 3)):
    """``y = min(max(x, low[c]), high[c])``, NaN gives low; bounds may be infinite (HardTanh)."""

    input: Reads
    output: Writes
    low: TensorName  # float32 (C,)
    high: TensorName  # float32 (C,)

    def _rule(self, scope: Scope) -> Assigned:
        shape = scope.value(self.input, "f32")
        low = scope.tensor("low", self.low, "f32", shape[:1])
        high = scope.tensor("high", self.high, "f32", shape[:1])
        if not (low <= high).all():  # nor is NaN
            scope.fail("field 'low' must not be greater than 'high', and neither NaN")
        return [floats(self.output, shape)]


@dataclass(frozen=True)
class Sigmoid(Step, op="sigmoid", since=(1, 3)):
    """``1 / (1 + exp(-x))`` by the operations that docs/format.md lists, to within 1.7e-7."""

    input: Reads
    output: Writes

    def _rule(self, scope: Scope) -> Assigned:
        return [floats(self.output, scope.value(self.input, "f32"))]


@dataclass(frozen=True)
class HardSigmoid(Step, op="hard_sigmoid", since=(1, 4)):
    """``y = max(0, min(1, x * terms[0] + terms[1]))``, one rounding; NaN gives 0."""

    input: Reads
    output: Writes
    terms: TensorName  # float32 (2,): slope, and what it is at 0

    def _rule(self, scope: Scope) -> Assigned:
        shape = scope.value(self.input, "f32")
        scope.floats("terms", self.terms, (2,))
        return [floats(self.output, shape)]


@dataclass(frozen=True)
class Multiply(Step, op="multiply", since=(1, 2)):
    """``y = x * factor``, the factor a value of C channels or one, and H x W pixels or one."""

    input: Reads
    factor: Reads
    output: Writes

    def _rule(self, scope: Scope) -> Assigned:
        c, h, w = scope.value(self.input, "f32")
        factor = scope.value(self.factor, "f32", "factor")
        if factor[0] not in (1, c) or factor[1:] not in ((1, 1), (h, w)):
            shapes = f"({c} or 1, {h}, {w}) or ({c} or 1, 1, 1)"
            scope.fail(f"field 'factor' needs a value of shape {shapes}, got {list(factor)}")
        return [floats(self.output, (c, h, w))]

    def since(self, values: Values) -> tuple[Version, str]:
        """Factors of other shapes than (1, H, W) came later."""
        factor = values[self.factor].shape
        if factor == (1, *values[self.input].shape[1:]):
            return self.SINCE, self.OP
        return (1, 3), f"{self.OP} by a factor of shape {list(factor)}"


@dataclass(frozen=True)
class Constant(Step, op="constant", since=(1, 3)):
    """A value that is the same for every image: a tensor (C, H, W)."""

    output: Writes
    value: TensorName  # float32 (C, H, W)

    def _rule(self, scope: Scope) -> Assigned:
        shape = scope.tensor_of("value", self.value, "f32").shape
        if len(shape) != 3:
            scope.fail(f"field 'value': expected shape (C, H, W), got {shape}")
        scope.extents("value", shape)
        scope.floats("value", self.value, shape)
        return [floats(self.output, shape)]


@dataclass(frozen=True)
class Binarize(Step, op="binarize"):
    """Float to bits: positive iff ``(x >= threshold[c]) != flip[c]`` (BatchNorm and sign)."""

    input: Reads
    output: Writes
    threshold: TensorName  # float32 (C,)
    flip: TensorName  # packed bits (C,)

    def _rule(self, scope: Scope) -> Assigned:
        shape = scope.value(self.input, "f32")
        threshold = scope.tensor("threshold", self.threshold, "f32", shape[:1])
        if np.isnan(threshold).any():
            scope.fail(f"field 'threshold': tensor {self.threshold!r} holds NaN")
        scope.packed("flip", self.flip, (), shape[0])
        return [bits(self.output, shape)]
