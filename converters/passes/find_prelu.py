"""Finds the PReLU in its spelling by two ReLUs."""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.nodes import Graph, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms
from bnas_deploy.converters.passes.base import Pass

__all__ = ["FindPrelu"]


class FindPrelu(Pass):
    """relu(x) + b · relu(a · x) becomes prelu(x) with slope a · b, for scales a < 0 and any b.

    Keras writes it so, with a = -1. What is between may have no other readers.
    """

    name = "find_prelu"

    def rewrite(self, graph: Graph) -> Graph:
        """Replace each such addition, and drop what it read."""
        found: dict[str, Node] = {}
        dropped: set[str] = set()
        for node in graph.nodes:
            match = _match(graph, node)
            if match is not None:
                found[node.name], inner = match
                dropped.update(inner)
        return graph.with_nodes(
            found.get(node.name, node) for node in graph.nodes if node.name not in dropped
        )


def _match(graph: Graph, add: Node) -> tuple[Node, tuple[str, ...]] | None:
    """The PReLU, and the names of the nodes that it replaces beside the addition."""
    if add.op != "add" or len(add.inputs) != 2:
        return None
    for straight, other in (add.inputs, reversed(add.inputs)):
        positive = _alone(graph, straight, "relu")
        last = _alone(graph, other, "batch_norm")
        negative = _alone(graph, last.inputs[0], "relu") if last else None
        first = _alone(graph, negative.inputs[0], "batch_norm") if negative else None
        if not (positive and last and negative and first) or positive.inputs != first.inputs:
            continue
        a, b = _scale(first), _scale(last)
        if a is not None and b is not None and (a < 0).all():
            inner = (positive.name, first.name, negative.name, last.name)
            return Node("prelu", add.name, first.inputs, add.outputs, {}, {"slope": a * b}), inner
    return None


def _alone(graph: Graph, value: str, op: str) -> Node | None:
    """The node that makes `value`, if it is an `op` and a single node reads it."""
    node = graph.producers.get(value)
    fits = node is not None and node.op == op and graph.only_reader(value) is not None
    return node if fits else None


def _scale(norm: Node) -> np.ndarray | None:
    """What a BatchNorm multiplies by, if it does nothing else."""
    alpha, beta = batch_norm_terms(**norm.constants, eps=norm.attributes["eps"])
    return None if beta.any() else alpha
