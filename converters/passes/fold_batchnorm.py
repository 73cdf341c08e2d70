"""Folds a BatchNorm into the full-precision convolution or linear layer beside it.

Computed in float64 and rounded once. Exact in real arithmetic; in floats the result is another
rounding of the same number.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms
from bnas_deploy.converters.passes.base import Pass

__all__ = ["FoldBatchnorm"]

MOST_SHIFT = 1000.0
"""Spreads of a value that a shift may be, so that floats still tell its values apart behind it."""


class FoldBatchnorm(Pass):
    """Three rules.

    1. batch_norm(conv(x)), where nobody else reads the convolution and it has no activation: its
       weights and bias are scaled, the shift is added to the bias.
    2. The same where the others who read the convolution are BatchNorms, too, as where signs have
       a shift of their own (ReActNet's RSign): those become BatchNorms of the folded one.
    3. conv(batch_norm(x)), where the convolution has no padding and no groups, and
       linear(batch_norm(x)): the weights are scaled, and the shift times the weights is added to
       the bias. With padding the shift would be missing at the border, where the convolution reads
       zeros. The BatchNorm stays for its other readers.
    """

    name = "fold_batchnorm"

    def rewrite(self, graph: Graph) -> Graph:
        """Apply the first rule that fits until none does."""
        while True:
            for node in graph.nodes:
                if node.op == "batch_norm":
                    folded = _fold_back(graph, node) or _fold_forward(graph, node)
                    if folded is not None:
                        graph = folded
                        break
            else:
                return graph


def _fold_back(graph: Graph, norm: Node) -> Graph | None:
    conv = graph.producers.get(norm.inputs[0])
    if conv is None or conv.op != "conv" or conv.attributes["activation"] != "none":
        return None
    others = [reader for reader in graph.readers[conv.output] if reader is not norm]
    alpha, beta = _terms(norm)
    if graph.output == conv.output or (others and not _may_be_read(graph, norm, others)):
        return None
    weight = conv.constants["weight"] * alpha[:, None, None, None]
    folded = _with(conv, weight, _bias(conv) * alpha + beta)
    folded = Node(
        folded.op, folded.name, folded.inputs, norm.outputs, folded.attributes, folded.constants
    )
    changed = {other.name: _behind(other, norm) for other in others}
    changed[conv.name] = folded
    return graph.with_nodes(changed.get(n.name, n) for n in graph.nodes if n is not norm)


def _may_be_read(graph: Graph, norm: Node, others: list[Node]) -> bool:
    """Whether all other readers can read the folded value: BatchNorms, if none of it is lost.

    One that only signs read stays, as it costs nothing there.
    """
    wanted = any(reader.op != "sign" for reader in graph.readers[norm.output])
    alpha, beta = _terms(norm)
    spread = np.abs(alpha) * np.sqrt(norm.constants["var"].astype(np.float64))
    lost = (alpha == 0) | (np.abs(beta) > MOST_SHIFT * spread)
    others_fit = all(other.op == "batch_norm" for other in others)
    return (wanted or graph.output == norm.output) and others_fit and not lost.any()


def _behind(other: Node, norm: Node) -> Node:
    """A BatchNorm of what `norm` reads as one of what `norm` gives."""
    (alpha, beta), (own, shift) = _terms(norm), _terms(other)
    scale = own / alpha
    dtype = other.constants["weight"].dtype
    zeros = np.zeros(len(scale), dtype)
    constants = {
        "weight": scale.astype(dtype),
        "bias": (shift - beta * scale).astype(dtype),
        "mean": zeros,
        "var": zeros + 1,
    }
    renamed = other.renamed_inputs({norm.inputs[0]: norm.output})
    return renamed.with_constants(**constants).with_attributes(eps=0.0)


def _fold_forward(graph: Graph, norm: Node) -> Graph | None:
    readers = graph.readers[norm.output]
    layers = [r for r in readers if _takes_shift(r, graph.values[norm.output].shape[0])]
    if not layers:
        return None
    alpha, beta = _terms(norm)
    folded = {}
    for layer in layers:
        weight = layer.constants["weight"].astype(np.float64)
        by_channel = weight.reshape(len(weight), len(alpha), -1)
        bias = _bias(layer) + np.einsum("ocp,c->o", by_channel, beta)
        scaled = _with(layer, (by_channel * alpha[:, None]).reshape(weight.shape), bias)
        folded[layer.name] = scaled.renamed_inputs({norm.output: norm.inputs[0]})
    unread = len(layers) == len(readers) and graph.output != norm.output
    return graph.with_nodes(
        folded.get(n.name, n) for n in graph.nodes if not (unread and n is norm)
    )


def _takes_shift(node: Node, channels: int) -> bool:
    """Whether every output of a layer reads every pixel's shift, and all channels."""
    if node.op == "linear":
        return True
    return (
        node.op == "conv"
        and not any(node.attributes["padding"])
        and node.constants["weight"].shape[1] == channels
    )


def _terms(norm: Node) -> tuple[Array, Array]:
    alpha, beta = batch_norm_terms(**norm.constants, eps=norm.attributes["eps"])
    return alpha.astype(np.float64), beta.astype(np.float64)


def _bias(layer: Node) -> Array:
    weight = layer.constants["weight"]
    return layer.constants.get("bias", np.zeros(len(weight))).astype(np.float64)


def _with(layer: Node, weight: Array, bias: Array) -> Node:
    dtype = layer.constants["weight"].dtype
    return layer.with_constants(weight=weight.astype(dtype), bias=bias.astype(dtype))
