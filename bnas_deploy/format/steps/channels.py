"""The steps that arrange or combine channels. Shapes: C channels, H W pixels."""

from __future__ import annotations

from dataclasses import dataclass

from bnas_deploy.format.fields import Reads, ReadsAll, TensorName, Writes
from bnas_deploy.format.scope import Scope
from bnas_deploy.format.steps.step import Count, Step, Tensors, Values
from bnas_deploy.format.values import Assigned, floats

__all__ = ["AddSlice", "Concat", "MeanMagnitude", "SelectChannels"]


@dataclass(frozen=True)
class AddSlice(Step, op="add_slice"):
    """``y = x`` with ``addend`` (of c channels) added to channels ``at .. at + c - 1``."""

    input: Reads
    addend: Reads
    output: Writes
    at: int

    def _rule(self, scope: Scope) -> Assigned:
        whole = scope.value(self.input, "f32")
        scope.slice(whole=whole, part=scope.value(self.addend, "f32", "addend"), at=self.at)
        return [floats(self.output, whole)]

    def in_place(self) -> dict[str, str]:
        """The sum may take the place of the whole."""
        return {self.output: self.input}


@dataclass(frozen=True)
class Concat(Step, op="concat"):
    """Concatenation along the channels."""

    inputs: ReadsAll
    output: Writes

    def _rule(self, scope: Scope) -> Assigned:
        if len(self.inputs) < 2:
            scope.fail(f"field 'inputs' must name two values or more, got {len(self.inputs)}")
        shapes = [scope.value(name, "f32", "inputs") for name in self.inputs]
        _, h, w = shapes[0]
        if any(shape[1:] != (h, w) for shape in shapes):
            pixels = [shape[1:] for shape in shapes]
            scope.fail(f"field 'inputs': all must have the same pixels, got {pixels}")
        return [floats(self.output, (sum(shape[0] for shape in shapes), h, w))]


@dataclass(frozen=True)
class SelectChannels(Step, op="select_channels"):
    """``y[c] = x[index[c]]``, or zero where ``index[c]`` is -1."""

    input: Reads
    output: Writes
    index: TensorName  # int32 (channels out,)

    def _rule(self, scope: Scope) -> Assigned:
        c, h, w = scope.value(self.input, "f32")
        index = scope.tensor_of("index", self.index, "i32")
        if index.ndim != 1:
            scope.fail(f"field 'index': expected one dimension, got {index.ndim}")
        if index.size and not -1 <= int(index.min()) <= int(index.max()) < c:
            scope.fail(f"field 'index': entries must lie between -1 and {c - 1}")
        return [floats(self.output, (len(index), h, w))]


@dataclass(frozen=True)
class MeanMagnitude(Step, op="mean_magnitude", since=(1, 2)):
    """Mean over the channels of ``|x * scale[c] + shift[c]|``, one channel out (XNOR-Net's K)."""

    input: Reads
    output: Writes
    scale: TensorName  # float32 (C,)
    shift: TensorName  # float32 (C,)
    terms: TensorName  # float32 (2,): factor of the sum, and what is added to it

    def _rule(self, scope: Scope) -> Assigned:
        c, h, w = scope.value(self.input, "f32")
        scope.floats("scale", self.scale, (c,))
        scope.floats("shift", self.shift, (c,))
        scope.floats("terms", self.terms, (2,))
        return [floats(self.output, (1, h, w))]

    def count(self, values: Values, tensors: Tensors) -> Count:
        """Every channel is a term."""
        return Count(terms=values[self.input].shape[0])
