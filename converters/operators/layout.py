"""Whether a model takes (N, H, W, C), told by what reads its input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bnas_deploy.converters.graph.nodes import Array

if TYPE_CHECKING:
    from bnas_deploy.converters.operators.model import OperatorNode

__all__ = ["reads_channels_last"]

POINTWISE = {"Add", "Cast", "Clip", "Div", "Identity", "Mul", "Sign", "Sub"}
"""What may stand between an input whose channels come last and the transpose that turns it."""

IMAGE_OPS = {"AveragePool", "BatchNormalization", "Conv", "GlobalAveragePool", "MaxPool"}
"""What reads an input whose channels come first."""

TO_CHANNELS_FIRST = (0, 3, 1, 2)
"""The order of axes that makes (N, C, H, W) of (N, H, W, C)."""


def reads_channels_last(
    nodes: Sequence[OperatorNode], name: str, dims: tuple[int, ...], constants: Mapping[str, Array]
) -> bool:
    """Whether the last axis of an input (N, H, W, C) counts channels, by all that reads it."""
    waiting, transposed = {name}, False
    for node in nodes:  # in an order in which they can run
        if not waiting.intersection(node.inputs):
            continue
        if node.op in POINTWISE:
            waiting.update(node.outputs)
        elif node.op in IMAGE_OPS:
            return False
        elif node.op == "Transpose":
            transposed = transposed or node.attributes.get("perm") == TO_CHANNELS_FIRST
        elif node.op == "Reshape" and dims[2] == 1:  # as tf2onnx turns one channel
            transposed = transposed or _ends_in(constants.get(node.inputs[1]), (1, *dims[:2]))
    return transposed


def _ends_in(shape: Array | None, extents: tuple[int, ...]) -> bool:
    return shape is not None and shape.reshape(-1)[1:].tolist() == list(extents)
