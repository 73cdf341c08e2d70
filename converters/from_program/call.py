"""One call of an ATen operator, while it is written in ONNX's standard operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import fx

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.types import ElementType
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ELEMENT_TYPES", "Call", "Given", "Outputs", "Rule", "Value", "Written", "operator_name"]

Given = Any
"""What a node of a program reads or gives: numbers, tensors, values, lists of them."""

ELEMENT_TYPES = {
    torch.float32: ElementType.FLOAT,
    torch.float64: ElementType.DOUBLE,
    torch.uint8: ElementType.UINT8,
    torch.int8: ElementType.INT8,
    torch.int16: ElementType.INT16,
    torch.int32: ElementType.INT32,
    torch.int64: ElementType.INT64,
    torch.bool: ElementType.BOOL,
}


@dataclass(frozen=True, eq=False)
class Value:
    """What depends on the image.

    Attributes:
        name: Of the operators' value.
        like: Its shape, batch included, and type, without data.
    """

    name: str
    like: torch.Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """With the batch."""
        return tuple(int(n) for n in self.like.shape)

    @property
    def boolean(self) -> bool:
        """Whether it holds truth values."""
        return self.like.dtype == torch.bool


Outputs = str | tuple[str, ...]
"""Names of the values that a call gives; several where the operator gives a list."""


@dataclass
class Written:
    """The operators so far.

    Attributes:
        nodes: In an order in which they can run.
        constants: What they read, by name.
        notes: What people should know.
    """

    nodes: list[OperatorNode] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _names: dict[int, str] = field(default_factory=dict)
    _named: list[torch.Tensor] = field(default_factory=list)

    def name(self, given: Given, name: str) -> None:
        """Remember what a tensor is called, if that is what it is and it has no name yet."""
        if isinstance(given, torch.Tensor) and id(given) not in self._names:
            self._named.append(given)  # so that no other one gets its id
            self._names[id(given)] = name

    def constant(self, given: Given, name: str) -> str:
        """Return the name of a constant: the tensor's own, or the given one."""
        name = self._names.get(id(given), name)
        if name not in self.constants:
            self.constants[name] = _as_array(given)
        return name


@dataclass(frozen=True, eq=False)
class Call:
    """A call that reads something that depends on the image.

    Attributes:
        name: For messages; unique.
        given: Its arguments by their names in the operator's schema, defaults among them: values,
            tensors, numbers.
        result: What it gives, without data.
        written: Where it is written to.
    """

    name: str
    given: Mapping[str, Given]
    result: Given
    written: Written

    def __getitem__(self, argument: str) -> Given:
        return self.given[argument]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its one result, with the batch."""
        return tuple(int(n) for n in self.result.shape)

    def emit(self, op: str, *inputs: Given, label: str = "", **attributes: Given) -> str:
        """Append an operator, and return the name of its output.

        Args:
            op: Of ONNX's standard.
            inputs: Values, their names, tensors, arrays, numbers; None for one that is left out.
            label: Behind the call's name, where one call needs several operators; empty for the
                one that gives its result.
            attributes: Of the operator.
        """
        return self.emit_parts(op, *inputs, label=label, outputs=1, **attributes)[0]

    def emit_parts(
        self, op: str, *inputs: Given, outputs: int, label: str = "", **attributes: Given
    ) -> tuple[str, ...]:
        """Append an operator with several outputs; see `emit`."""
        name = f"{self.name}.{label}" if label else self.name
        names = tuple(f"{name}:{i}" if i else name for i in range(outputs))
        read = tuple(self._read(x, f"{name}.input{i}") for i, x in enumerate(inputs))
        self.written.nodes.append(OperatorNode(name, op, "", read, names, attributes))
        return names

    def _read(self, given: Given, name: str) -> str:
        if given is None or isinstance(given, str):
            return given or ""
        return given.name if isinstance(given, Value) else self.written.constant(given, name)

    def constant(self, argument: str, what: str) -> torch.Tensor | None:
        """Return an argument that must not depend on the image.

        Raises:
            CannotConvert: It does.
        """
        given = self.given[argument]
        if isinstance(given, Value):
            msg = f"{what} depends on the image"
            raise CannotConvert(msg, "only constant ones are understood")
        assert given is None or isinstance(given, torch.Tensor)
        return given

    def note(self, text: str) -> None:
        """Say something about it."""
        self.written.notes.append(f"{self.name}: {text}")


Rule = Callable[[Call], Outputs]


def operator_name(node: fx.Node) -> str:
    """`add` of aten.add.Tensor; a function's own name."""
    target = node.target
    if isinstance(target, torch._ops.OpOverload):
        return str(target._opname)
    return str(getattr(target, "__name__", target))


def _as_array(given: Given) -> Array:
    """Numbers as NumPy has them; half precision as float32."""
    if not isinstance(given, torch.Tensor):
        array = np.asarray(given)
        return array.astype(np.float32) if array.dtype == np.float64 else array
    plain = given.detach().cpu()
    if plain.is_quantized:
        plain = plain.dequantize()
    if plain.dtype in (torch.float16, torch.bfloat16):
        plain = plain.float()
    return plain.contiguous().numpy()
