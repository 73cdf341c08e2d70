"""A front end's graph as an ONNX model, node by node; the inverse of `from_onnx.network`.

Nothing is rewritten, so that reading the file back gives an equal graph. Binary weights are
initialisers of -1 and +1, their scale is a Mul; sign is Where(x >= 0, 1, -1), which knows no zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx

from bnas_deploy.converters.graph.nodes import Graph, Node
from bnas_deploy.converters.graph.ops import groups_of
from bnas_deploy.converters.passes.eliminate_dead import EliminateDead
from bnas_deploy.converters.to_onnx.writer import OnnxWriter, column
from bnas_deploy.errors import ConversionError

__all__ = ["graph_to_onnx"]


def graph_to_onnx(graph: Graph, *, metadata: Mapping[str, Any] | None = None) -> onnx.ModelProto:
    """Return the model that computes what a graph computes.

    Args:
        graph: Of a front end, in float32, before the passes; what nobody reads is left out.
        metadata: JSON values to store in the model.

    Raises:
        ConversionError: The graph has an operation that the passes make.
    """
    graph, _ = EliminateDead()(graph)
    writer = OnnxWriter()
    for node in graph.nodes:
        if node.op not in _RULES:
            msg = f"{node.name}: {node.op} is not written as ONNX; give the graph before the passes"
            raise ConversionError(msg)
        _RULES[node.op](writer, graph, node)
    classes = graph.values[graph.output].shape[0]
    logits = writer.add("Flatten", [graph.output], f"{graph.output}.logits", axis=1)
    return writer.model(
        (graph.input, graph.input_shape), (logits, classes), metadata=metadata or {}
    )


def _window(node: Node) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "strides": list(node.attributes["stride"]),
        "pads": list(node.attributes["padding"]),
    }
    if "dilation" in node.attributes:
        attributes["dilations"] = list(node.attributes["dilation"])
    return attributes


def _weights(writer: OnnxWriter, node: Node) -> list[str]:
    names = [key for key in ("weight", "bias") if key in node.constants]
    return [
        writer.constant(f"{node.name}.{key}", node.constants[key].astype(np.float32))
        for key in names
    ]


def _group(graph: Graph, node: Node) -> dict[str, int]:
    """The attribute of a convolution in groups."""
    groups = groups_of(node, graph.values[node.inputs[0]].shape[0])
    return {"group": groups} if groups > 1 else {}


def _conv(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    activation = node.attributes["activation"]
    inputs, group = [node.inputs[0], *_weights(writer, node)], _group(graph, node)
    result = writer.activated(activation, node.output)
    writer.add("Conv", inputs, result, **_window(node), **group)
    writer.activate(activation, node.output)


def _binary_conv(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    if "fold" in node.constants:
        msg = f"{node.name}: folded constants are not written; give the graph before the passes"
        raise ConversionError(msg)
    activation = node.attributes["activation"]
    weight = _weights(writer, node)
    groups = _group(graph, node)
    dot = f"{node.output}.dot"
    writer.add("Conv", [node.inputs[0], *weight], dot, **_window(node), **groups)
    scale = writer.constant(f"{node.name}.scale", column(node.constants["scale"]))
    writer.add("Mul", [dot, scale], writer.activated(activation, node.output))
    writer.activate(activation, node.output)


def _batch_norm(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    constants = [
        writer.constant(f"{node.name}.{key}", node.constants[key].astype(np.float32))
        for key in ("weight", "bias", "mean", "var")
    ]
    eps = float(node.attributes["eps"])
    writer.add("BatchNormalization", [node.inputs[0], *constants], node.output, epsilon=eps)


def _affine(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    scale, shift = (
        writer.constant(f"{node.name}.{key}", column(node.constants[key]))
        for key in ("scale", "shift")
    )
    product = writer.add("Mul", [node.inputs[0], scale], f"{node.output}.product")
    writer.add("Add", [product, shift], node.output)


def _sign(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    above = writer.add("GreaterOrEqual", [node.inputs[0], writer.number(0)], f"{node.output}.above")
    writer.signs(above, node.output)


def _pool(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    op = "MaxPool" if node.op == "max_pool" else "AveragePool"
    kernel = list(node.attributes["kernel"])
    writer.add(op, [node.inputs[0]], node.output, kernel_shape=kernel, **_window(node))


def _zero(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    """Zeros for each image: their batch size is that of the input."""
    c, h, w = node.attributes["shape"]
    batch = f"{node.output}.batch"
    writer.add("Shape", [graph.input], batch, start=0, end=1)
    rest = writer.constant(f"{node.output}.extents", np.array([c, h, w], np.int64))
    shape = writer.add("Concat", [batch, rest], f"{node.output}.shape", axis=0)
    none = writer.constant("none", np.zeros((1, 1, 1, 1), np.float32))
    writer.add("Expand", [none, shape], node.output)


def _constant(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    value = node.constants["value"].astype(np.float32)[None]
    if all(reader.op in ("add", "multiply") for reader in graph.readers[node.output]):
        writer.constant(node.output, value)  # these repeat it for every image by themselves
        return
    writer.repeated(graph.input, writer.constant(f"{node.name}.value", value), node.output)


def _prelu(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    slope = node.constants["slope"].astype(np.float32).reshape(-1, 1, 1)
    writer.add("PRelu", [node.inputs[0], writer.constant(f"{node.name}.slope", slope)], node.output)


def _clip(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    low, high = (node.constants[key] for key in ("low", "high"))
    writer.clipped(node.inputs[0], low, high, node.output)


def _linear(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    flat = writer.add("Flatten", [node.inputs[0]], f"{node.output}.flat", axis=1)
    result = writer.add("Gemm", [flat, *_weights(writer, node)], f"{node.output}.gemm", transB=1)
    shape = writer.constant(f"{node.name}.shape", np.array([0, -1, 1, 1], np.int64))
    writer.add("Reshape", [result, shape], node.output)


def _select(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    writer.gathered(node.inputs[0], node.constants["index"], node.output)


def _mean_magnitude(writer: OnnxWriter, graph: Graph, node: Node) -> None:
    scale, shift = (column(node.constants[key]) for key in ("scale", "shift"))
    factor, rest = node.constants["terms"]
    writer.magnitude(node.inputs[0], node.output, (scale, shift), (factor, rest))


def _plain(op: str, **attributes: Any) -> Callable[[OnnxWriter, Graph, Node], None]:  # noqa: ANN401
    def rule(writer: OnnxWriter, graph: Graph, node: Node) -> None:
        writer.add(op, node.inputs, node.output, **attributes)

    return rule


_RULES: dict[str, Callable[[OnnxWriter, Graph, Node], None]] = {
    "add": _plain("Add"),
    "affine": _affine,
    "avg_pool": _pool,
    "batch_norm": _batch_norm,
    "binary_conv": _binary_conv,
    "binary_depthwise": _binary_conv,
    "clip": _clip,
    "concat": _plain("Concat", axis=1),
    "constant": _constant,
    "conv": _conv,
    "global_avg_pool": _plain("GlobalAveragePool"),
    "linear": _linear,
    "max_pool": _pool,
    "mean_magnitude": _mean_magnitude,
    "multiply": _plain("Mul"),
    "prelu": _prelu,
    "relu": _plain("Relu"),
    "select_channels": _select,
    "sigmoid": _plain("Sigmoid"),
    "sign": _sign,
    "zero": _zero,
}
