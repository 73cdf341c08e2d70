"""A graph while a front end makes it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnas_deploy.converters.graph import ops
from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.errors import ConversionError

__all__ = ["GraphBuilder"]


class GraphBuilder:
    """A graph while it is made; it knows the shape of every value so far."""

    def __init__(self, shape: ops.Shape, name: str = "image") -> None:
        self.input = name
        self.nodes: list[Node] = []
        self.values = {name: ops.Value(ops.F32, shape)}

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
        (self.values[name],) = ops.infer(node, [self.values[i] for i in inputs])
        self.nodes.append(node)
        return name

    def graph(self, output: str) -> Graph:
        """Return the checked graph."""
        graph = Graph(self.input, self.values[self.input].shape, output, tuple(self.nodes))
        graph.check()
        return graph
