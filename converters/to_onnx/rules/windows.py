"""Pools as ONNX operators, and the attributes of every operator with a window."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Node
from bnas_deploy.converters.to_onnx.writer import OnnxWriter, Rule, column, plain

__all__ = ["WINDOW_RULES", "window"]


def window(node: Node) -> dict[str, Any]:
    """The attributes of a window but its kernel."""
    attributes: dict[str, Any] = {
        "strides": list(node.attributes["stride"]),
        "pads": list(node.attributes["padding"]),
    }
    if "dilation" in node.attributes:
        attributes["dilations"] = list(node.attributes["dilation"])
    return attributes


def _pool(op: str) -> Rule:
    def rule(writer: OnnxWriter, node: Node) -> None:
        kernel = list(node.attributes["kernel"])
        writer.add(op, node.inputs, node.output, kernel_shape=kernel, **window(node))

    return rule


def _binary_max_pool(writer: OnnxWriter, node: Node) -> None:
    """The least of signs is the opposite of the greatest of their opposites."""
    source, result, sign = node.inputs[0], node.output, None
    if "minimum" in node.constants:
        least = np.where(node.constants["minimum"], -1, 1)
        sign = writer.constant(f"{node.name}.sign", column(least))
        source = writer.add("Mul", [source, sign], f"{node.output}.opposite")
        result = f"{node.output}.greatest"
    kernel = list(node.attributes["kernel"])
    writer.add("MaxPool", [source], result, kernel_shape=kernel, **window(node))
    if sign is not None:
        writer.add("Mul", [result, sign], node.output)


WINDOW_RULES: dict[str, Rule] = {
    "avg_pool": _pool("AveragePool"),
    "binary_max_pool": _binary_max_pool,
    "global_avg_pool": plain("GlobalAveragePool"),
    "max_pool": _pool("MaxPool"),
}
