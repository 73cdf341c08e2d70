"""Turns signs into the numbers they stand for, with a step that is there anyway; exact."""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.nodes import Graph, Node
from bnas_deploy.converters.passes.base import Pass

__all__ = ["LowerBitsToFloat"]


class LowerBitsToFloat(Pass):
    """bits_to_float(b) becomes a 1x1 binary depthwise convolution of b: weights and scales 1."""

    name = "lower_bits_to_float"
    absent_before = frozenset({"packed_conv", "packed_depthwise"})
    absent_after = frozenset({"bits_to_float"})

    def rewrite(self, graph: Graph) -> Graph:
        """Replace each node by its twin."""
        return graph.with_nodes(
            _lowered(graph, n) if n.op == "bits_to_float" else n for n in graph.nodes
        )


def _lowered(graph: Graph, node: Node) -> Node:
    channels = graph.values[node.output].shape[0]
    constants = {
        "weight": np.ones((channels, 1, 1, 1), np.int8),
        "scale": np.ones(channels, graph.float_dtype),
    }
    attributes = {
        "stride": (1, 1),
        "padding": (0, 0, 0, 0),
        "dilation": (1, 1),
        "activation": "none",
    }
    return Node("binary_depthwise", node.name, node.inputs, node.outputs, attributes, constants)
