"""Collects the standard operators that stand for TensorFlow Lite's, one operator at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import LEFT_OUT, Operator, TfliteModel
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["Rule", "Writer", "Written"]

_HELPERS = ("Clip", "Identity", "Reshape", "Transpose")
"""What stands around the operator that a node is named after."""

FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)
"""The orders of axes that put channels first, and last."""


class Writer:
    """Nodes and constants of a model.

    Args:
        model: What is translated.

    Attributes:
        nodes: So far.
        constants: By name.
        operator: What is being translated.
    """

    def __init__(self, model: TfliteModel) -> None:
        self.model = model
        self.nodes: list[OperatorNode] = []
        self.constants: dict[str, Array] = {}
        self.operator: Operator
        self._names = {tensor.name for tensor in model.tensors}
        self._used: set[str] = set()

    def has(self, place: int) -> bool:
        """Whether an input is there."""
        inputs = self.operator.inputs
        return len(inputs) > place and inputs[place] != LEFT_OUT

    def given(self, place: int) -> str:
        """The name of an input; a constant becomes one of the model."""
        tensor = self.model.tensors[self.operator.inputs[place]]
        if tensor.array is not None:
            self.constants[tensor.name] = tensor.array
        return tensor.name

    def array(self, place: int, what: str) -> Array:
        """The array of a constant input.

        Raises:
            CannotConvert: It is computed.
        """
        array = self.model.array(self.operator.inputs[place])
        if array is None:
            msg = f"{what} is not constant"
            raise CannotConvert(msg, "only constant ones are understood")
        return array

    def numbers(self, place: int, what: str) -> list[int]:
        """The whole numbers of a constant input."""
        return [int(n) for n in self.array(place, what).reshape(-1)]

    def shape(self, place: int) -> tuple[int, ...]:
        """The extents of an input, with the batch."""
        return self.model.tensors[self.operator.inputs[place]].shape

    @property
    def result_shape(self) -> tuple[int, ...]:
        """The extents of the first output, with the batch."""
        return self.model.tensors[self.operator.outputs[0]].shape

    def add(self, op: str, *inputs: str | Array | float, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node of one output and return that; numbers and arrays become constants."""
        return self.add_many(op, 1, *inputs, **attributes)[0]

    def add_many(
        self,
        op: str,
        count: int,
        *inputs: str | Array | float,
        **attributes: Any,  # noqa: ANN401
    ) -> list[str]:
        """Add a node of several outputs and return those."""
        name = self.operator.name
        if op in _HELPERS or name in self._used:
            name = self._fresh(f"{name}.{op.lower()}")
        self._used.add(name)
        outputs = [self._fresh(f"{self.operator.name}.{op.lower()}") for _ in range(count)]
        given = tuple(self._input(value) for value in inputs)
        self.nodes.append(OperatorNode(name, op, "", given, tuple(outputs), attributes))
        return outputs

    def _input(self, value: str | Array | float) -> str:
        if isinstance(value, str):
            return value
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        name = self._fresh(f"{self.operator.name}.constant")
        self.constants[name] = array
        return name

    def _fresh(self, base: str) -> str:
        number, name = 1, base
        while name in self._names:
            number += 1
            name = f"{base}{number}"
        self._names.add(name)
        return name

    def first(self, value: str) -> str:
        """A value (N, H, W, C) as (N, C, H, W)."""
        return self.add("Transpose", value, perm=FIRST)

    def last(self, value: str) -> str:
        """A value (N, C, H, W) as (N, H, W, C)."""
        return self.add("Transpose", value, perm=LAST)


Written = str | Sequence[str]
Rule = Callable[[Writer, Operator], Written]
"""Adds what stands for an operator and returns its values, in its layout."""
