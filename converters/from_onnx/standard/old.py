"""Operators as opsets before 11 wrote them: bounds and pads as attributes."""

from __future__ import annotations

import numpy as np
import onnx

from bnas_deploy.converters.from_onnx.standard.writer import WriteOut, Writer, attributes_of

__all__ = ["old_operator"]


def old_operator(node: onnx.NodeProto) -> WriteOut | None:
    """What writes a node in today's form, if it needs that."""
    names = {attribute.name for attribute in node.attribute}
    if node.op_type == "Clip" and names & {"min", "max"}:
        return _clip
    if node.op_type == "Pad" and "pads" in names:
        return _pad
    return None


def _clip(writer: Writer) -> bool:
    bounds = attributes_of(writer.node)
    low = writer.constant(bounds["min"]) if "min" in bounds else ""
    high = writer.constant(bounds["max"]) if "max" in bounds else ""
    writer.add("Clip", writer.given(0), low, high)
    return True


def _pad(writer: Writer) -> bool:
    attributes = attributes_of(writer.node)
    pads = writer.constant(attributes["pads"], np.int64)
    value = writer.constant(attributes.get("value", 0.0))
    writer.add("Pad", writer.given(0), pads, value, mode=attributes.get("mode", "constant"))
    return True
