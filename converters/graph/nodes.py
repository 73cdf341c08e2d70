"""The converters' graph: flat, typed, printable nodes over named values.

`ops` says what each operation takes and the shape of what it makes, `evaluate` what it computes.
Nodes and graphs are values: a pass makes new ones. Shapes are (C, H, W), for one image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.graph import ops
from bnas_deploy.errors import ConversionError

__all__ = ["Array", "Graph", "Node", "same_graph", "topological"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Node:
    """One operation.

    Attributes:
        op: A key of `ops.OPS`.
        name: For people and tensor names; unique in a graph.
        inputs: Names of the values it reads.
        outputs: Names of the values it assigns.
        attributes: Plain values, as `ops.OPS` lists them.
        constants: Arrays, as `ops.OPS` lists them; optional ones may be missing.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Array] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """The value assigned by a node that assigns just one."""
        (output,) = self.outputs
        return output

    def with_constants(self, **constants: Array | None) -> Node:
        """Return the node with constants replaced, or left out where None."""
        merged = {**self.constants, **constants}
        return replace(self, constants={k: v for k, v in merged.items() if v is not None})

    def with_attributes(self, **attributes: object) -> Node:
        """Return the node with attributes replaced."""
        return replace(self, attributes={**self.attributes, **attributes})

    def renamed_inputs(self, names: Mapping[str, str]) -> Node:
        """Return the node with inputs replaced where `names` says so."""
        if not any(name in names for name in self.inputs):
            return self
        return replace(self, inputs=tuple(names.get(name, name) for name in self.inputs))

    def __str__(self) -> str:
        attributes = "".join(f" {key}={value}" for key, value in self.attributes.items())
        constants = "".join(f" {key}{list(array.shape)}" for key, array in self.constants.items())
        outputs, inputs = ", ".join(self.outputs), ", ".join(self.inputs)
        return f"{outputs} = {self.op}({inputs}){attributes}{constants}"


@dataclass(frozen=True, eq=False)
class Graph:
    """A straight line of nodes; every value is assigned once, before it is read.

    Attributes:
        input: Name of the input value.
        input_shape: Its (C, H, W).
        output: Name of the result, (classes, 1, 1).
        nodes: In an order in which they can run.
    """

    input: str
    input_shape: ops.Shape
    output: str
    nodes: tuple[Node, ...]

    @cached_property
    def values(self) -> dict[str, ops.Value]:
        """Kind and shape of every value, inferred from the nodes.

        Raises:
            ConversionError: A node breaks an invariant of the graph or of its operation.
        """
        values = {self.input: ops.Value(ops.F32, self.input_shape)}
        for node in self.nodes:
            for name, value in zip(node.outputs, self._infer(node, values), strict=True):
                if name in values:
                    msg = f"{node.name}: value {name!r} is assigned twice"
                    raise ConversionError(msg)
                values[name] = value
        if self.output not in values:
            msg = f"the graph's output {self.output!r} is not assigned by any node"
            raise ConversionError(msg)
        return values

    def _infer(self, node: Node, values: Mapping[str, ops.Value]) -> tuple[ops.Value, ...]:
        unknown = [name for name in node.inputs if name not in values]
        if unknown:
            msg = f"{node.name}: reads {unknown}, which no earlier node assigns"
            raise ConversionError(msg)
        inferred = ops.infer(node, [values[name] for name in node.inputs])
        if len(inferred) != len(node.outputs):
            count = len(inferred)
            msg = f"{node.name}: {node.op} makes {count} values; got {len(node.outputs)} names"
            raise ConversionError(msg)
        return inferred

    def check(self) -> None:
        """Check every invariant.

        Raises:
            ConversionError: Two nodes share a name, or `values` cannot be inferred.
        """
        names = [node.name for node in self.nodes]
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            msg = f"node names must be unique; used twice: {twice}"
            raise ConversionError(msg)
        _ = self.values

    @property
    def float_dtype(self) -> np.dtype[np.floating]:
        """Of the constants that are floats; float32 if there is none."""
        arrays = (array for node in self.nodes for array in node.constants.values())
        return next((a.dtype for a in arrays if a.dtype.kind == "f"), np.dtype(np.float32))

    @cached_property
    def producers(self) -> dict[str, Node]:
        """The node that assigns each value (the input has none)."""
        return {name: node for node in self.nodes for name in node.outputs}

    @cached_property
    def readers(self) -> dict[str, tuple[Node, ...]]:
        """The nodes that read each value; the graph's output has no extra entry."""
        found: dict[str, list[Node]] = {name: [] for name in (self.input, *self.producers)}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found[name].append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    def only_reader(self, value: str) -> Node | None:
        """Return the single reader of a value; None if there are more, or it is the output."""
        readers = self.readers[value]
        if len(readers) != 1 or value == self.output:
            return None
        return readers[0] if readers[0].inputs.count(value) == 1 else None

    def with_nodes(self, nodes: Iterable[Node], output: str | None = None) -> Graph:
        """Return a graph of other nodes with the same input."""
        return Graph(self.input, self.input_shape, output or self.output, tuple(nodes))

    def __str__(self) -> str:
        lines = [f"{self.input}: f32 {list(self.input_shape)}"]
        for node in self.nodes:
            types = ", ".join(
                f"{v.kind} {list(v.shape)}" for v in map(self.values.get, node.outputs) if v
            )
            lines.append(f"{node}: {types}")
        return "\n".join([*lines, f"return {self.output}"])


def topological(nodes: Iterable[Node], known: str) -> tuple[Node, ...]:
    """Sort nodes so that values are assigned before they are read, else in the order they came.

    Args:
        nodes: In any order.
        known: The graph's input.

    Raises:
        ConversionError: The nodes depend on each other in a circle.
    """
    waiting, done, ordered = list(nodes), {known}, []
    while waiting:
        late = []
        for node in waiting:
            if done.issuperset(node.inputs):
                ordered.append(node)
                done.update(node.outputs)
            else:
                late.append(node)
        if len(late) == len(waiting):
            msg = f"these nodes depend on each other: {[node.name for node in late]}"
            raise ConversionError(msg)
        waiting = late
    return tuple(ordered)


def same_graph(a: Graph, b: Graph) -> bool:
    """Whether two graphs have the same nodes in the same order, constants included."""
    return (
        (a.input, a.input_shape, a.output) == (b.input, b.input_shape, b.output)
        and len(a.nodes) == len(b.nodes)
        and all(same_node(x, y) for x, y in zip(a.nodes, b.nodes, strict=True))
    )


def same_node(a: Node, b: Node) -> bool:
    """Whether two nodes are equal in everything, constants included."""
    return a is b or (
        (a.name, a.inputs, a.outputs) == (b.name, b.inputs, b.outputs) and same_work(a, b)
    )


def same_work(a: Node, b: Node) -> bool:
    """Whether two nodes would compute the same from the same inputs."""
    return (
        a.op == b.op
        and a.attributes == b.attributes
        and a.constants.keys() == b.constants.keys()
        and all(_same_array(a.constants[key], b.constants[key]) for key in a.constants)
    )


def _same_array(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and np.array_equal(a, b)
