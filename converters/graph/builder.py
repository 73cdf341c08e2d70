"""A graph while a front end makes it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from bnas_deploy.converters.graph import ops
from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.errors import ConversionError

__all__ = ["GraphBuilder"]

_COMMUTE = ("add", "multiply")


class GraphBuilder:
    """A graph while it is made; it knows the shape of every value so far.

    Attributes:
        input: Name of the graph's input.
        nodes: So far.
        values: Kind and shape of every value so far.
        producers: The node that makes each value; the input has none.
        origins: What in the user's model makes a value, where the front end says so.
    """

    def __init__(self, shape: ops.Shape, name: str = "image") -> None:
        self.input = name
        self.nodes: list[Node] = []
        self.values = {name: ops.Value(ops.F32, shape)}
        self.producers: dict[str, Node] = {}
        self.origins: dict[str, object] = {}
        self._numbers: dict[Hashable, str] = {}

    def add(
        self,
        op: str,
        name: str,
        inputs: tuple[str, ...],
        attributes: dict[str, Any] | None = None,
        constants: dict[str, Array] | None = None,
    ) -> str:
        """Append a node that makes one value of its own name, and return that name.

        Raises:
            ConversionError: The node breaks a rule of its operation, or a constant is not finite.
        """
        for key, array in (constants or {}).items():
            bound = op == "clip" and not np.isnan(array).any()  # which may be infinite
            if not bound and not np.isfinite(array).all():
                msg = f"{name}: {key} holds NaN or infinity; the network cannot be exported"
                raise ConversionError(msg)
        node = Node(op, name, inputs, (name,), attributes or {}, constants or {})
        value = ops.infer(node, [self.values[i] for i in inputs])
        self.append(node, *value)
        return name

    def append(self, node: Node, value: ops.Value) -> None:
        """Append a node that makes one value, of any operation."""
        self.values[node.output] = value
        self.producers[node.output] = node
        self.nodes.append(node)

    def add_once(
        self,
        op: str,
        name: Callable[[], str],
        inputs: tuple[str, ...],
        attributes: dict[str, Any],
        constants: dict[str, Array],
    ) -> str:
        """Return the value of an equal node, or else append one (value numbering).

        Equal are the operation, the inputs, the attributes and the constants.

        Args:
            op: As for `add`, like all that follows.
            name: Makes the name, where a node is appended.
            inputs: Of a sum or product, in any order.
            attributes: Plain values.
            constants: Arrays.
        """
        places = tuple(sorted(inputs)) if op in _COMMUTE else inputs
        arrays = tuple((key, *_digest(constants[key])) for key in sorted(constants))
        number = (op, places, repr(sorted(attributes.items())), arrays)
        if number not in self._numbers:
            self._numbers[number] = self.add(op, name(), inputs, attributes, constants)
        return self._numbers[number]

    def needed(self, output: str) -> set[str]:
        """The values that a value is computed from, and itself."""
        found, waiting = {output}, [output]
        while waiting:
            node = self.producers.get(waiting.pop())
            for name in node.inputs if node else ():
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return found

    def graph(self, output: str, *, needed_only: bool = False) -> Graph:
        """Return the checked graph.

        Args:
            output: Its result.
            needed_only: Whether to leave out the nodes that the result does not depend on.
        """
        nodes = self.nodes
        if needed_only:
            needed = self.needed(output)
            nodes = [node for node in nodes if node.output in needed]
        graph = Graph(self.input, self.values[self.input].shape, output, tuple(nodes))
        graph.check()
        return graph


def _digest(array: Array) -> tuple[str, tuple[int, ...], bytes]:
    data = np.ascontiguousarray(array)
    return str(array.dtype), array.shape, hashlib.blake2b(data.tobytes(), digest_size=16).digest()
