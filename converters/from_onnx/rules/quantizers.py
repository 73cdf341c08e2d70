"""The quantizers of other tools, QONNX's BipolarQuant and FINN's MultiThreshold, as plain nodes.

No extra package is needed to read them. `standard_model` writes them out in standard operators, so
that ONNX Runtime can run a model that has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from bnas_deploy.converters.from_onnx.read import OnnxNode
from bnas_deploy.converters.from_onnx.rules.compares import compared
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["DOMAINS", "QUANTIZER_RULES", "standard_model"]

DOMAINS = (
    "qonnx.custom_op.general",
    "finn.custom_op.general",
    "onnx.brevitas",
    "finn",
)
"""Where these operators have been found."""


def _bipolar(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    scale = flow.per_channel(imports.constant(inputs[1], "its scale"))
    if not (np.isfinite(scale) & (scale > 0)).all():
        msg = "its scale is not positive"
        raise CannotConvert(msg, "check the model")
    ones = np.ones_like(scale)
    above = compared(imports, flow, 0 * ones, "GreaterOrEqual", node.name)
    return imports.affine(above, 2 * scale, -scale, node.name)


def _thresholds(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    table = imports.constant(inputs[1], "its thresholds")
    if table.ndim != 2 or table.shape[1] != 1 or len(table) not in (1, flow.channels):
        msg = f"thresholds of shape {list(table.shape)}"
        raise CannotConvert(
            msg,
            "only one threshold for each channel, with a bipolar result, is understood",
        )
    if node.attributes.get("data_layout", "NCHW") not in ("NCHW", "NC"):
        msg = "its channels come last"
        raise CannotConvert(msg, "use the layout NCHW")
    column = (-1,) + (1,) * (len(flow.dims) - 1)
    bound = flow.per_channel(table.reshape(column))
    if not np.isfinite(bound).all():
        msg = "a threshold is infinite"
        raise CannotConvert(msg, "use finite thresholds")
    above = compared(imports, flow, bound, "GreaterOrEqual", node.name)
    scale, bias = (np.full_like(bound, x) for x in _output(node.attributes))
    return imports.affine(above, scale, bias, node.name)


def _output(attributes: Any) -> tuple[float, float]:  # noqa: ANN401
    """Scale and bias of the count of thresholds reached."""
    return float(attributes.get("out_scale", 1.0)), float(attributes.get("out_bias", 0.0))


QUANTIZER_RULES = {"BipolarQuant": _bipolar, "MultiThreshold": _thresholds}


def standard_model(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model of standard operators, for opsets from 12 (where bools can be compared).

    Args:
        proto: Not changed.
    """
    if not any(node.op_type in QUANTIZER_RULES for node in proto.graph.node):
        return proto
    model = onnx.ModelProto()
    model.CopyFrom(proto)
    del model.graph.node[:]
    for place, node in enumerate(proto.graph.node):
        if node.op_type in QUANTIZER_RULES:
            _write_out(model.graph, node, f"standard{place}")
        else:
            model.graph.node.append(node)
    kept = [entry for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


def _write_out(graph: onnx.GraphProto, node: onnx.NodeProto, prefix: str) -> None:
    x, operand = node.input[:2]
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}

    def constant(name: str, value: Any) -> str:  # noqa: ANN401
        full = f"{prefix}.{name}"
        array = np.asarray(value, np.float32)
        graph.initializer.append(numpy_helper.from_array(array, full))
        return full

    def add(op: str, inputs: list[str], output: str) -> str:
        graph.node.append(helper.make_node(op, inputs, [output], name=output))
        return output

    if node.op_type == "BipolarQuant":
        below = add("Less", [x, constant("zero", 0)], f"{prefix}.below")
        signs = add("Where", [below, constant("minus", -1), constant("plus", 1)], f"{prefix}.signs")
        add("Mul", [signs, operand], node.output[0])
        return
    # (C, 1) thresholds stand for (1, C, 1, 1) or (1, C).
    shape = f"{prefix}.shape"
    rank = _rank(graph, x)
    sizes = np.array([1, -1] + [1] * (rank - 2), np.int64)
    graph.initializer.append(numpy_helper.from_array(sizes, shape))
    bound = add("Reshape", [operand, shape], f"{prefix}.bound")
    below = add("Less", [x, bound], f"{prefix}.below")
    scale, bias = _output(attributes)
    low, high = constant("low", bias), constant("high", scale + bias)
    add("Where", [below, low, high], node.output[0])


def _rank(graph: onnx.GraphProto, name: str) -> int:
    """Rank of a value by shape information, else 4."""
    for value in (*graph.input, *graph.value_info):
        if value.name == name and value.type.tensor_type.HasField("shape"):
            return max(2, len(value.type.tensor_type.shape.dim))
    return 4
