"""A TensorFlow Lite model as plain Python: tensors by their place, operators in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bnas_deploy.converters.graph.nodes import Array

__all__ = ["LEFT_OUT", "Operator", "Steps", "Tensor", "TfliteModel"]

LEFT_OUT = -1
"""The place of an optional input that is not there."""


@dataclass(frozen=True)
class Steps:
    """Whole numbers that stand for reals: (number - zero) * scale.

    Attributes:
        scale: Of one step.
        zero: The number that stands for 0.
        least: The smallest number of the type.
        most: The greatest number of the type.
    """

    scale: float
    zero: int
    least: int
    most: int

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest real."""
        return (self.least - self.zero) * self.scale, (self.most - self.zero) * self.scale


@dataclass(frozen=True, eq=False)
class Tensor:
    """One value of the model.

    Attributes:
        name: Unique in the model, printable.
        shape: With the batch.
        kind: Its type, by TensorFlow Lite's name.
        array: What it holds, if it is constant: reals also where the file has whole numbers with a
            scale.
        steps: What its numbers stand for, if they are quantized and not constant.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    array: Array | None = None
    steps: Steps | None = None


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes:
        name: For messages; unique among operators.
        op: TensorFlow Lite's name of a builtin one, the custom code of another.
        inputs: Places of tensors; `LEFT_OUT` where an optional one is missing.
        outputs: Places of tensors.
        options: By TensorFlow Lite's names.
    """

    name: str
    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TfliteModel:
    """A model as it was read.

    Attributes:
        tensors: By place.
        operators: In an order in which they can run.
        input: Place of the one input.
        output: Place of the one output.
        data: The file.
        rounds: Whether it computes with whole numbers between its layers.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int
    data: bytes
    rounds: bool

    @cached_property
    def producers(self) -> dict[int, Operator]:
        """What makes each computed value but the input."""
        return {place: operator for operator in self.operators for place in operator.outputs}

    def steps_behind(self, place: int) -> Steps | None:
        """The steps that a value was rounded to, if it is one of them."""
        steps, producer = self.tensors[place].steps, self.producers.get(place)
        if steps is None and producer is not None and producer.op == "DEQUANTIZE":
            return self.tensors[producer.inputs[0]].steps
        return steps

    def array(self, place: int) -> Array | None:
        """What a tensor holds, if it is there and constant."""
        return None if place == LEFT_OUT else self.tensors[place].array
