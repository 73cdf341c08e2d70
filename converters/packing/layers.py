"""What became of each layer of the user's model, and what its user must know about that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bnas_deploy.converters.graph.model_layer import ModelLayer, Warned
from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.converters.packing.compare import SelfCheck
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.converters.packing.verdict import SIGN_ZERO

__all__ = [
    "BINARY_OPS",
    "FULL_PRECISION",
    "NOT_KNOWN",
    "LayerRun",
    "graph_layers",
    "larger_than_source",
    "model_layers",
    "no_binary_layer",
    "runs_in_8_bits",
    "sign_zero_differs",
]

BINARY_OPS = ("binary_conv", "binary_depthwise")
NOT_KNOWN = "the network has it in full precision"
FULL_PRECISION = "float32"

SMALL_FILE = 2**16
"""Bytes up to which the description of the steps may outweigh what the weights save."""


@dataclass(frozen=True)
class LayerRun:
    """A convolution or linear layer of the user's model, and how it runs.

    Attributes:
        name: That the user's model has for it.
        op: What it is.
        weights: Their number.
        runs: `binary`, `8 bits`, `float32`, or `removed` where no answer depends on it.
        reason: Why it is not binary; empty if it is.
        node: The graph's node; empty where it is binary and has no single one.
    """

    name: str
    op: str
    weights: int
    runs: str
    reason: str = ""
    node: str = ""


def model_layers(source: Source, first: Graph, last: Graph) -> tuple[LayerRun, ...]:
    """Return the layers of the user's model.

    Args:
        source: What was packed.
        first: Its graph before the passes.
        last: And after.
    """
    layers = graph_layers(first, source.reasons) if source.layers is None else source.layers
    left = {node.name for node in last.nodes}
    return tuple(_run(layer, left) for layer in layers)


def graph_layers(graph: Graph, reasons: Mapping[str, str]) -> tuple[ModelLayer, ...]:
    """Return the layers of a graph whose nodes are those of the user's model.

    Args:
        graph: Before the passes.
        reasons: Why layers are not binary, by name, where it is not the usual reason.
    """
    found = []
    for node in graph.nodes:
        if node.op in (*BINARY_OPS, "conv", "linear"):
            reason = "" if node.op in BINARY_OPS else reasons.get(node.name, NOT_KNOWN)
            op = "linear" if node.op == "linear" else "conv"
            size = node.constants["weight"].size
            found.append(ModelLayer(node.name, op, node.name, size, reason))
    return tuple(found)


def _run(layer: ModelLayer, left: Collection[str]) -> LayerRun:
    gone = layer.node and layer.node not in left
    runs = "removed" if gone else FULL_PRECISION if layer.reason else "binary"
    return LayerRun(layer.name, layer.op, layer.weights, runs, layer.reason, layer.node)


def runs_in_8_bits(layers: Sequence[LayerRun], nodes: Collection[str]) -> tuple[LayerRun, ...]:
    """Return the layers where those of some of the graph's nodes run in 8 bits."""
    return tuple(
        replace(layer, runs="8 bits") if layer.runs == FULL_PRECISION and layer.node in nodes
        else layer
        for layer in layers
    )  # fmt: skip


def no_binary_layer(layers: Sequence[LayerRun]) -> tuple[Warned, ...]:
    """Warn of a model of which nothing is binary."""
    if any(not layer.reason for layer in layers):
        return ()
    none = f"none of the {len(layers)} layers" if len(layers) > 1 else "no layer"
    text = (
        f"{none} of this model is binary, so that packing makes it neither small nor fast. If it is"
        " a binary network, what makes it one is lost in this file: the reason of each layer is"
        " listed above, and docs/onnx.md lists how signs may be written"
    )
    return (Warned("no-binary-layer", text),)


def sign_zero_differs(check: SelfCheck) -> tuple[Warned, ...]:
    """Warn of inputs on which the user's choice of Sign(0) gives other answers."""
    found = [kind for kind in check.kinds if kind.why == SIGN_ZERO]
    if not found:
        return ()
    kinds = ", ".join(kind.kind for kind in found)
    wrong = sum(kind.images - kind.same_answer for kind in found)
    text = (
        f"with --sign-zero plus the packed program differs from {check.against} on some inputs"
        f" ({kinds}), in {wrong} of {sum(kind.images for kind in found)} answers: {found[0].layer}"
        " reads signs of exactly 0. Unless the network was trained with Sign(0) = +1, pass"
        " --sign-zero exact"
    )
    return (Warned("sign-zero", text),)


def larger_than_source(
    source: int, packed: int, tensors: int, layers: Sequence[LayerRun]
) -> tuple[Warned, ...]:
    """Warn of a packed file that is larger than the model's, if not for its description alone.

    Args:
        source: Bytes of the model's file, with all that belongs to it.
        packed: Of the packed file.
        tensors: Of the tensors in it.
        layers: Of the model.
    """
    if packed <= source or (packed <= SMALL_FILE and tensors <= source):
        return ()
    floats = sum(layer.weights for layer in layers if layer.runs == FULL_PRECISION)
    text = (
        f"the packed file is larger than the model's: {packed:,} bytes, from {source:,}; the report"
        " lists them by kind"
    )
    if floats:
        text += (
            f". {floats:,} weights stay in float32: --eight-bit all --calibrate PICTURES makes them"
            " smaller, and the reasons in the report say what would make their layers binary"
        )
    return (Warned("larger-than-source", text),)
