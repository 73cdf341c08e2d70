"""Convolutions and linear layers of a model: which are binary, and what the others become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arrange import as_image
from bnas_deploy.converters.operators.rules.windows import conv_window
from bnas_deploy.converters.signs.binary_layers import Window
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.layers import Layer, finite, layer_value, linear_value
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.order import elements

__all__ = ["LAYER_RULES"]


def _conv(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    weight = imports.constant(inputs[1], "its weight")
    one_pixel = weight.shape[2:] == (1, 1) == flow.dims[1:] and flow.shape[1:] != (1, 1)
    plain = node.attributes.get("group", 1) == 1 and not any(node.attributes.get("pads", ()))
    if one_pixel and plain:
        return _on_one_pixel(imports, node, flow, weight, inputs[2:])
    flow = as_image(imports, flow, node.name)
    if weight.ndim != 4:
        msg = f"a convolution of {weight.ndim - 2} dimensions"
        raise CannotConvert(msg, "use two")
    bias = (
        imports.constant(inputs[2], "its bias")
        if len(inputs) > 2 and inputs[2] is not None
        else None
    )
    groups = int(node.attributes.get("group", 1))
    kernel = tuple(node.attributes.get("kernel_shape", weight.shape[2:]))
    fits = groups >= 1 and weight.shape[1] * groups == flow.channels and not len(weight) % groups
    if not fits or kernel != weight.shape[2:]:
        msg = f"weights {list(weight.shape)} do not fit its input"
        raise CannotConvert(msg, "check the model")
    window = conv_window(node, flow.padded_shape, kernel)
    shift = _shift(bias, len(weight))
    return layer_value(imports, Layer(node.name, node.op, flow, weight, shift, window, groups))


def _on_one_pixel(
    imports: Importer, node: OperatorNode, flow: Flow, weight: Array, bias: Sequence[Any]
) -> Flow:
    """A convolution of an image that was flattened into the channels of one pixel."""
    flat = replace(flow, dims=flow.dims[:1])
    plain = replace(node, attributes={"transB": 1})
    result = _gemm(imports, plain, [flat, weight.reshape(weight.shape[:2]), *bias])
    return replace(result, dims=(*result.dims, 1, 1))


def _gemm(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0], "its first input")
    weight = imports.constant(inputs[1], "its weight")
    if node.attributes.get("transA", 0):
        msg = "transposes its input"
        raise CannotConvert(msg, "use transA = 0")
    weight = weight if node.attributes.get("transB", 0) else weight.T
    alpha, beta = (np.float64(node.attributes.get(key, 1.0)) for key in ("alpha", "beta"))
    bias = None
    if len(inputs) > 2 and inputs[2] is not None:
        bias = imports.constant(inputs[2], "its bias") * beta
    return _linear(imports, node, flow, weight * alpha, _shift(bias, len(weight)))


def _matmul(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0], "its first input")
    weight = imports.constant(inputs[1], "its second input")
    if weight.ndim != 2:
        msg = f"a constant of {weight.ndim} dimensions"
        raise CannotConvert(msg, "use a matrix")
    return _linear(imports, node, flow, weight.T, None)


def _shift(bias: Array | None, outputs: int) -> Array | None:
    """One number an output channel, float64."""
    if bias is None:
        return None
    return np.broadcast_to(finite(bias).astype(np.float64).reshape(-1), (outputs,))


def _linear(
    imports: Importer, node: OperatorNode, flow: Flow, weight: Array, bias: Array | None
) -> Flow:
    """A layer of weights (O, K): a convolution as large as the image, or a linear node."""
    c, h, w = flow.shape
    if flow.dims != (c * h * w,) or any(flow.pads) or weight.shape[1:] != (c * h * w,):
        msg = f"weights {list(weight.shape)} meet a value of shape (N, {list(flow.dims)})"
        raise CannotConvert(
            msg,
            "flatten to (N, K) before a linear layer",
        )
    kernel = elements(weight, flow.order, flow.shape)
    return linear_value(imports, Layer(node.name, node.op, flow, kernel, bias, Window(), 1))


LAYER_RULES = {"Conv": _conv, "Gemm": _gemm, "MatMul": _matmul}
