"""Moves a max pool from in front of signs to behind them, where it works on bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bnas_deploy.converters.graph.activations import ACTIVATIONS
from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms
from bnas_deploy.converters.passes.base import Pass

__all__ = ["PoolSigns"]


class PoolSigns(Pass):
    """sign(f(max_pool(x))) becomes binary_max_pool(sign(f(x))), if nothing else reads the maximum.

    1. f is any chain of what rises, or falls, with its input in each channel: batch_norm and affine
       (by the sign of their factor), relu, clip, and prelu without negative slopes. A rounding does
       not change that, so the rewrite is exact.
    2. A channel that falls takes the least sign instead of the greatest.
    3. All that reads the pool, through such chains, must end in signs whose zero is +1.

    So a binary convolution before the pool makes bits, not floats, and a window of eight channels
    is a few operations on bytes.
    """

    name = "pool_signs"
    absent_before = frozenset({"packed_conv", "packed_depthwise", "binarize", "add_slice"})

    def rewrite(self, graph: Graph) -> Graph:
        """Move one pool at a time, as pools may follow each other."""
        while True:
            for node in graph.nodes:
                signs = _signs_behind(graph, node) if node.op == "max_pool" else None
                if signs:
                    graph = _moved(graph, node, signs)
                    break
            else:
                return graph


def _signs_behind(graph: Graph, pool: Node) -> dict[str, Array] | None:
    """The signs that a pool ends in, by name, and their channels that fall; or None."""
    falls = np.zeros(graph.values[pool.output].shape[0], bool)
    return _follow(graph, pool.output, falls)


def _follow(graph: Graph, value: str, falls: Array) -> dict[str, Array] | None:
    if value == graph.output or not graph.readers[value]:
        return None
    found: dict[str, Array] = {}
    for reader in graph.readers[value]:
        if reader.op == "sign" and reader.attributes["zero_sign"] == 1:
            found[reader.name] = falls
            continue
        turns = _turns(reader)
        behind = None if turns is None else _follow(graph, reader.output, falls ^ turns)
        if behind is None:
            return None
        found |= behind
    return found


def _turns(node: Node) -> Array | None:
    """Whether each channel falls when its input rises; None where neither can be said."""
    if node.op == "affine":
        return np.asarray(node.constants["scale"] < 0)
    if node.op == "batch_norm":
        alpha, _ = batch_norm_terms(**node.constants, eps=node.attributes["eps"])
        return np.asarray(alpha < 0)
    if node.op in ACTIVATIONS and ACTIVATIONS[node.op].rises(**node.constants):
        return np.zeros(1, bool)
    return None


def _moved(graph: Graph, pool: Node, signs: dict[str, Array]) -> Graph:
    nodes: list[Node] = []
    for node in graph.nodes:
        if node is pool:
            continue
        moved = node.renamed_inputs({pool.output: pool.inputs[0]})
        if node.name not in signs:
            nodes.append(moved)
            continue
        whole = f"{node.output}.whole"
        falls = signs[node.name]
        minimum = {"minimum": falls} if falls.any() else {}
        nodes.append(replace(moved, outputs=(whole,)))
        name = f"{node.name}.{pool.name}"
        attributes = dict(pool.attributes)
        nodes.append(Node("binary_max_pool", name, (whole,), node.outputs, attributes, minimum))
    return graph.with_nodes(nodes)
