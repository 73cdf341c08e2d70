"""Gives binary convolutions their output stages: integer thresholds for bits, scales for floats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.numerics import (
    batch_norm_terms,
    integer_thresholds,
    sign_is_positive,
)
from bnas_deploy.converters.graph.ops import Stage
from bnas_deploy.converters.passes.base import Pass

__all__ = ["PackConvs"]


_PACKED = {"binary_conv": "packed_conv", "binary_depthwise": "packed_depthwise"}


class PackConvs(Pass):
    """Each binary_conv becomes one packed_conv, each binary_depthwise one packed_depthwise.

    1. Each sign(batch_norm(conv)) or sign(conv) that reads it becomes a threshold stage: the sign
       of the float expression, found for every integer that the dot product can be, changes at
       most once.
    2. If anything else reads it, or it is the output, there is a scale stage too.
    """

    name = "pack_convs"
    absent_after = frozenset({"binary_conv", "binary_depthwise"})

    def rewrite(self, graph: Graph) -> Graph:
        """Pack the convolutions and drop the signs that became stages."""
        packed = {n.name: _pack(graph, n) for n in graph.nodes if n.op in _PACKED}
        taken = {name for node in packed.values() for name in node.outputs}
        nodes = [
            packed.get(n.name, n) for n in graph.nodes if n.op != "sign" or n.output not in taken
        ]
        used = {name for node in nodes for name in node.inputs} | {graph.output}
        return graph.with_nodes(
            n
            for n in nodes
            if n.op != "batch_norm" or n.output in used or graph.readers[n.output] == ()
        )


def _pack(graph: Graph, conv: Node) -> Node:
    stages: dict[str, Stage] = {}
    constants = {key: array for key, array in conv.constants.items() if key != "scale"}
    signs, floats = _readers(graph, conv)
    for sign, norm in signs:
        stages[sign.output] = Stage("threshold")
        bound = _bound(conv)
        positive = _positive(conv, norm)
        threshold, flip = integer_thresholds(positive, bound, len(conv.constants["scale"]))
        constants |= {f"{sign.output}.threshold": threshold, f"{sign.output}.flip": flip}
    if floats:
        stages[conv.output] = Stage("scale", conv.attributes["activation"])
        constants[f"{conv.output}.scale"] = conv.constants["scale"]
    attributes = {key: conv.attributes[key] for key in ("stride", "padding", "dilation")}
    attributes["stages"] = tuple(stages.values())
    op = _PACKED[conv.op]
    return Node(op, conv.name, conv.inputs, tuple(stages), attributes, constants)


def _readers(graph: Graph, conv: Node) -> tuple[list[tuple[Node, Node | None]], bool]:
    """The signs of a convolution, each with the BatchNorm between, and whether floats are read."""
    signs: list[tuple[Node, Node | None]] = []
    floats = graph.output == conv.output or not graph.readers[conv.output]
    for reader in graph.readers[conv.output]:
        if reader.op == "sign":
            signs.append((reader, None))
            continue
        behind = graph.readers[reader.output] if reader.op == "batch_norm" else ()
        signs += [(sign, reader) for sign in behind if sign.op == "sign"]
        only_signs = (
            behind and all(n.op == "sign" for n in behind) and graph.output != reader.output
        )
        floats = floats or not only_signs
    return signs, floats


def _bound(conv: Node) -> int:
    """The largest |dot product|."""
    weight, fold = conv.constants["weight"], conv.constants.get("fold")
    folded = 0 if fold is None else int(np.abs(fold.astype(np.int64)).sum(axis=(1, 2)).max())
    return int(weight[0].size) + folded


def _positive(conv: Node, norm: Node | None) -> Callable[[Array], Array]:
    scale = conv.constants["scale"][:, None]
    relu = conv.attributes["activation"] == "relu"
    alpha, beta = np.ones_like(scale[:, 0]), np.zeros_like(scale[:, 0])
    if norm is not None:
        alpha, beta = batch_norm_terms(**norm.constants, eps=norm.attributes["eps"])

    def positive(dots: Array) -> Array:
        v = dots.astype(scale.dtype) * scale  # (O, D)
        if relu:
            v = np.where(v > 0, v, scale.dtype.type(0))
        return sign_is_positive(v, alpha[:, None], beta[:, None])

    return positive
