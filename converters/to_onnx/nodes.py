"""Nodes as an ONNX model: each by the rule of its operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx

from bnas_deploy.converters.graph.nodes import Node
from bnas_deploy.converters.graph.values import Shape
from bnas_deploy.converters.to_onnx.rules import RULES
from bnas_deploy.converters.to_onnx.writer import OnnxWriter
from bnas_deploy.errors import ConversionError

__all__ = ["nodes_to_onnx"]


def nodes_to_onnx(
    nodes: Sequence[Node],
    shapes: Mapping[str, Shape],
    image: str,
    output: str,
    metadata: Mapping[str, Any],
) -> onnx.ModelProto:
    """Return the model that computes what nodes compute.

    Args:
        nodes: In an order in which they can run.
        shapes: (C, H, W) of every value by name.
        image: Name of the input.
        output: Name of the result, (classes, 1, 1).
        metadata: JSON values to store in the model.

    Raises:
        ConversionError: An operation has no rule.
    """
    writer = OnnxWriter(image, shapes, _broadcast(nodes))
    for node in nodes:
        if node.op not in RULES:
            msg = f"{node.name}: {node.op} is not written as ONNX; known are {', '.join(RULES)}"
            raise ConversionError(msg)
        RULES[node.op](writer, node)
    logits = writer.add("Flatten", [output], f"{output}.logits", axis=1)
    return writer.model(logits, shapes[output][0], metadata=metadata)


def _broadcast(nodes: Sequence[Node]) -> frozenset[str]:
    """Constants whose readers all repeat them for every image by themselves."""
    constants = {node.output for node in nodes if node.op == "constant"}
    kept = {
        name
        for node in nodes
        for name in node.inputs
        if node.op not in ("add", "multiply") or constants.issuperset(node.inputs)
    }
    return frozenset(constants - kept)
