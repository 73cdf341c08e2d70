"""Expresses signs whose zero is 0 by signs that are -1 or +1; exact for every input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms
from bnas_deploy.converters.passes.base import Pass
from bnas_deploy.errors import PassError

__all__ = ["SplitZeroSigns"]


class SplitZeroSigns(Pass):
    """sign(y) with sign(0) = 0 becomes a sign with sign(0) = +1; y is batch_norm(x), or any value.

    1. Where no channel's shift is exactly 0, y is 0 only where a rounding makes it so: the sign
       becomes an ordinary one.
    2. Else, in each channel whose shift is 0 (y is 0 wherever x is), with the ordinary sign s,
       sign(y) = (s(y) - s(-y)) / 2. So all channels are laid twice, these the second time with y
       and their weights negated, and the scale of the binary_conv behind is halved, which is exact.
       Behind bits_to_float the two halves are added.

    Channels that are 0 for every image are gone before (`remove_zero`).
    """

    name = "split_zero_signs"
    absent_before = frozenset({"packed_conv", "binarize", "add_slice"})

    def rewrite(self, graph: Graph) -> Graph:
        """Replace the signs, then the nodes that read those that were split."""
        nodes: list[Node] = []
        flips: dict[str, Array] = {}
        for node in graph.nodes:
            if node.op == "sign" and node.attributes["zero_sign"] == 0:
                flip = _flip(graph, node)
                if (flip < 0).any():
                    flips[node.output] = flip
                    nodes += _laid_twice(graph, node, flip)
                else:
                    nodes.append(node.with_attributes(zero_sign=1))
            elif node.inputs and node.inputs[0] in flips:
                nodes += _reader(graph, node, flips[node.inputs[0]])
            else:
                nodes.append(node)
        used = {name for node in nodes for name in node.inputs}
        return graph.with_nodes(n for n in nodes if not _now_unread(graph, n, used))


def _now_unread(graph: Graph, node: Node, used: set[str]) -> bool:
    if node.op != "batch_norm" or node.output in used or node.output == graph.output:
        return False
    return bool(graph.readers.get(node.output))


def _norm(graph: Graph, sign: Node) -> Node | None:
    norm = graph.producers.get(sign.inputs[0])
    return norm if norm is not None and norm.op == "batch_norm" else None


def _flip(graph: Graph, sign: Node) -> Array:
    """-1 for each channel that is 0 where its input is, else +1; (C,)."""
    norm = _norm(graph, sign)
    if norm is None:
        return np.full(graph.values[sign.inputs[0]].shape[0], -1, np.int8)
    _, beta = batch_norm_terms(**norm.constants, eps=norm.attributes["eps"])
    return np.where(beta == 0, -1, 1).astype(np.int8)


def _laid_twice(graph: Graph, sign: Node, flip: Array) -> list[Node]:
    """The channels twice, the second time flipped; the sign keeps its name and its output's."""
    norm, name = _norm(graph, sign), sign.name
    source = sign.inputs[0] if norm is None else norm.inputs[0]
    channels = np.arange(len(flip), dtype=np.int32)
    twice = f"{name}.twice"
    index = {"index": np.concatenate([channels, channels])}
    select = Node("select_channels", twice, (source,), (twice,), {}, index)
    flipped = f"{name}.flipped"
    factor = np.concatenate([np.ones_like(flip), flip])
    if norm is None:
        scale = factor.astype(graph.float_dtype)
        constants = {"scale": scale, "shift": np.zeros_like(scale)}
        second = Node("affine", flipped, (twice,), (flipped,), {}, constants)
    else:
        both = {key: np.concatenate([array, array]) for key, array in norm.constants.items()}
        both |= {key: both[key] * factor for key in ("weight", "bias")}
        second = Node("batch_norm", flipped, (twice,), (flipped,), norm.attributes, both)
    return [select, second, replace(sign, inputs=(flipped,)).with_attributes(zero_sign=1)]


def _reader(graph: Graph, node: Node, flip: Array) -> list[Node]:
    if node.op == "bits_to_float":
        return _halves_added(node, flip.astype(graph.float_dtype))
    if node.op != "binary_conv":
        msg = f"{node.name}: {node.op} cannot read signs of which some are 0"
        raise PassError(msg)
    weight = node.constants["weight"]
    if weight.shape[1] < len(flip):
        msg = f"{node.name}: a convolution in groups cannot read signs of which some are 0"
        raise PassError(msg)
    doubled = {"weight": np.concatenate([weight, weight * flip[:, None, None]], axis=1)}
    doubled["scale"] = node.constants["scale"] / 2
    if "fold" in node.constants:
        doubled["fold"] = node.constants["fold"] * 2
    return [node.with_constants(**doubled)]


def _halves_added(node: Node, flip: Array) -> list[Node]:
    both = f"{node.name}.both"
    nodes = [replace(node, name=both, outputs=(both,))]
    parts = []
    for side, factor in (("first", np.ones_like(flip)), ("second", flip)):
        part, half = f"{node.name}.{side}", f"{node.name}.{side}.half"
        start = 0 if side == "first" else len(flip)
        index = {"index": np.arange(start, start + len(flip), dtype=np.int32)}
        nodes.append(Node("select_channels", part, (both,), (part,), {}, index))
        constants = {"scale": factor / 2, "shift": np.zeros_like(factor)}
        nodes.append(Node("affine", half, (part,), (half,), {}, constants))
        parts.append(half)
    return [*nodes, Node("add", node.name, tuple(parts), node.outputs)]
