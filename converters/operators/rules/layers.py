"""Convolutions and linear layers of a model: which are binary, and what the others become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arrange import as_image, transposed
from bnas_deploy.converters.operators.rules.axes import (
    channel_axes,
    channel_grid,
    grouped,
    with_channels,
)
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
    weight = weight if alpha == 1 else weight * alpha  # or large ones would be copied as float64
    return _linear(imports, node, flow, weight, _shift(bias, len(weight)))


def _matmul(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    left = isinstance(inputs[0], np.ndarray)
    flow = imports.flow(inputs[1 if left else 0])
    weight = imports.constant(inputs[0 if left else 1], "one of its inputs")
    if weight.ndim != 2:
        msg = f"a constant of {weight.ndim} dimensions"
        raise CannotConvert(msg, "use a matrix")
    weight = weight if left else weight.T
    if len(flow.dims) > 1:
        return _over_channels(imports, node, flow, weight, len(flow.dims) - (2 if left else 1))
    return _linear(imports, node, flow, weight, None)


def _einsum(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    """A matrix and a value, of whose axes the matrix changes one."""
    equation = str(node.attributes["equation"]).replace(" ", "")
    sides, result = equation.split("->")
    read, matrix = sides.split(",")
    if isinstance(inputs[0], np.ndarray):
        read, matrix, inputs = matrix, read, inputs[::-1]
    flow, weight = imports.flow(inputs[0]), imports.constant(inputs[1], "one of its inputs")
    shared = [letter for letter in matrix if letter in read]
    free = [letter for letter in matrix if letter not in read]
    behind = read.replace(shared[0], free[0]) if len(shared) == len(free) == 1 else ""
    if not behind or sorted(behind) != sorted(result) or len(read) != len(flow.dims) + 1:
        msg = f"computes {equation}"
        raise CannotConvert(msg, "use Conv, or MatMul over the channels")
    weight = weight if matrix[0] == free[0] else weight.T
    value = _over_channels(imports, node, flow, weight, read.index(shared[0]) - 1)
    return transposed(value, [behind.index(letter) for letter in result])


def _over_channels(
    imports: Importer, node: OperatorNode, flow: Flow, weight: Array, place: int
) -> Flow:
    """A layer of weights (O, K) at each pixel, whose channels are the axis `place` of ONNX."""
    axes = channel_axes(flow)
    own = [i for i, digits in enumerate(axes or ()) if any(d.axis == 0 for d in digits)]
    fits = own in ([], [place]) and weight.shape[1:] == (flow.channels,) == (flow.dims[place],)
    if axes is None or not fits:
        msg = f"weights {list(weight.shape)} meet a value of shape (N, {list(flow.dims)})"
        raise CannotConvert(msg, "multiply channels, or flatten to (N, K) before a linear layer")
    flow.need_bare()
    sorted_ = with_channels(
        imports, flow, axes, channel_grid(axes), front=place, name=f"{node.name}.order"
    )
    image = replace(sorted_, dims=sorted_.shape, order=())
    kernel = weight[:, :, None, None]
    result = layer_value(imports, Layer(node.name, node.op, image, kernel, None, Window(), 1))
    extents = [len(weight) if i == place else 1 for i in range(len(axes))]
    return grouped(result, axes, extents, place)


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


LAYER_RULES = {"Conv": _conv, "Einsum": _einsum, "Gemm": _gemm, "MatMul": _matmul}
