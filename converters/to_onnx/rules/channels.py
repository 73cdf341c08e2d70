"""Operations that arrange or combine channels, as ONNX operators."""

from __future__ import annotations

from bnas_deploy.converters.graph.nodes import Node
from bnas_deploy.converters.to_onnx.writer import OnnxWriter, Rule, column, plain

__all__ = ["CHANNEL_RULES"]


def _add_slice(writer: OnnxWriter, node: Node) -> None:
    base, addend = node.inputs
    writer.added_at(base, addend, node.attributes["at"], writer.channels(addend), node.output)


def _select(writer: OnnxWriter, node: Node) -> None:
    writer.gathered(node.inputs[0], node.constants["index"], node.output)


def _mean_magnitude(writer: OnnxWriter, node: Node) -> None:
    scale, shift = (column(node.constants[key]) for key in ("scale", "shift"))
    factor, rest = node.constants["terms"]
    writer.magnitude(node.inputs[0], node.output, (scale, shift), (factor, rest))


CHANNEL_RULES: dict[str, Rule] = {
    "add_slice": _add_slice,
    "concat": plain("Concat", axis=1),
    "mean_magnitude": _mean_magnitude,
    "select_channels": _select,
}
