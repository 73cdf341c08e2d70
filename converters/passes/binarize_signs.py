"""Turns the signs that are left into one float compare per channel."""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms, float_thresholds
from bnas_deploy.converters.passes.base import Pass

__all__ = ["BinarizeSigns"]


class BinarizeSigns(Pass):
    """sign(batch_norm(x)) and sign(x) become binarize(x).

    A batch_norm that somebody else reads stays for them; one that nobody reads any more vanishes.
    """

    name = "binarize_signs"
    absent_before = frozenset({"binary_conv", "binary_depthwise"})
    absent_after = frozenset({"sign"})

    def rewrite(self, graph: Graph) -> Graph:
        """Replace the signs, then drop BatchNorms that only they read."""
        nodes = [_binarize(graph, n) if n.op == "sign" else n for n in graph.nodes]
        used = {name for node in nodes for name in node.inputs} | {graph.output}
        return graph.with_nodes(
            n
            for n in nodes
            if n.op != "batch_norm" or n.output in used or not graph.readers[n.output]
        )


def _binarize(graph: Graph, sign: Node) -> Node:
    norm = graph.producers.get(sign.inputs[0])
    source, threshold, flip = sign.inputs[0], *_plain(graph, sign)
    if norm is not None and norm.op == "batch_norm":
        source = norm.inputs[0]
        terms = batch_norm_terms(**norm.constants, eps=norm.attributes["eps"])
        threshold, flip = float_thresholds(*terms)
    constants = {"threshold": threshold, "flip": flip}
    return Node("binarize", sign.name, (source,), sign.outputs, {}, constants)


def _plain(graph: Graph, sign: Node) -> tuple[Array, Array]:
    channels = graph.values[sign.inputs[0]].shape[0]
    return np.zeros(channels, np.float32), np.zeros(channels, bool)
