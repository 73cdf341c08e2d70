"""Replaces nodes of a model by others, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

__all__ = ["WriteOut", "Writer", "attributes_of", "written_out"]


class Writer:
    """The nodes and constants that stand for one node.

    Args:
        node: What is replaced; the last node added must make its output.
        known: Arrays of the model's initialisers and constants, by name.
        dependent: Names of the values that depend on the image.
    """

    def __init__(
        self, node: onnx.NodeProto, known: Mapping[str, npt.NDArray[Any]], dependent: set[str]
    ) -> None:
        self.node, self.known, self.dependent = node, known, dependent
        self.prefix = node.name or node.output[0]
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.rounding_left_out = False

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Add a constant and return its name."""
        name = f"{self.prefix}.c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node and return its output's name."""
        name = f"{self.prefix}.{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def given(self, place: int) -> str:
        """The name of an input; empty where it is left out."""
        return self.node.input[place] if len(self.node.input) > place else ""

    def number(self, place: int) -> float | None:
        """An input that is one known number, else None."""
        array = self.known.get(self.given(place))
        return float(array.reshape(())) if array is not None and array.size == 1 else None


WriteOut = Callable[[Writer], bool]
"""Adds what stands for the writer's node; False where it cannot, and the node stays as it is."""


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node by name; texts as str."""
    values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in values.items()}


def written_out(
    proto: onnx.ModelProto, rules: Callable[[onnx.NodeProto], WriteOut | None]
) -> tuple[onnx.ModelProto, list[str]]:
    """Return a model with nodes replaced, and the names of those that lost a rounding by it.

    Args:
        proto: Not changed; returned where there is nothing to replace.
        rules: What writes a node out; None where it stays.
    """
    if not any(rules(node) for node in proto.graph.node):
        return proto, []
    model = onnx.ModelProto()
    model.CopyFrom(proto)
    del model.graph.node[:]
    known, dependent = _constants(proto.graph), _dependent(proto.graph)
    rounded = []
    for node in proto.graph.node:
        rule, writer = rules(node), Writer(node, known, dependent)
        if rule is None or not rule(writer):
            model.graph.node.append(node)
            continue
        if writer.rounding_left_out:
            rounded.append(node.name or node.output[0])
        writer.nodes[-1].output[0] = node.output[0]
        writer.nodes[-1].name = node.name
        model.graph.node.extend(writer.nodes)
        model.graph.initializer.extend(writer.constants)
    return model, rounded


def _constants(graph: onnx.GraphProto) -> dict[str, npt.NDArray[Any]]:
    """Small ones: scales, zero points, bounds."""
    tensors = {t.name: t for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            tensors[node.output[0]] = node.attribute[0].t
    small = {n: t for n, t in tensors.items() if np.prod(t.dims, dtype=np.int64) <= SMALL}
    return {name: numpy_helper.to_array(tensor) for name, tensor in small.items()}


SMALL = 1024


def _dependent(graph: onnx.GraphProto) -> set[str]:
    """Names of the values that are computed from an input."""
    constants = {t.name for t in graph.initializer}
    found = {value.name for value in graph.input} - constants
    for node in graph.node:
        if found.intersection(node.input):
            found.update(node.output)
    return found - {""}
