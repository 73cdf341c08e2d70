"""A front end's graph as an ONNX model, node by node; the inverse of `from_onnx.network`.

Nothing is rewritten, so that reading the file back gives an equal graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx

from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.converters.passes.eliminate_dead import EliminateDead
from bnas_deploy.converters.to_onnx.nodes import nodes_to_onnx

__all__ = ["graph_to_onnx"]


def graph_to_onnx(graph: Graph, *, metadata: Mapping[str, Any] | None = None) -> onnx.ModelProto:
    """Return the model that computes what a graph computes.

    Args:
        graph: In float32; what nobody reads is left out.
        metadata: JSON values to store in the model.

    Raises:
        ConversionError: An operation has no rule.
    """
    graph, _ = EliminateDead()(graph)
    shapes = {name: value.shape for name, value in graph.values.items()}
    return nodes_to_onnx(graph.nodes, shapes, graph.input, graph.output, metadata or {})
