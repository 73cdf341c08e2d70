"""Convolutions and linear layers of an ONNX model: which are binary, and what the others become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bnas_deploy.converters.from_onnx.read import OnnxNode
from bnas_deploy.converters.from_onnx.rules.windows import conv_window
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.binary_layers import (
    Window,
    binary_conv,
    binary_depthwise,
    binary_groups,
    binary_parts,
    floats,
)
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.limits import WEIGHT_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["LAYER_RULES"]

REAL_WEIGHTS = "its weights are not one magnitude an output channel"
REAL_INPUT = "its input is not binary"


def _conv(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    flow.need_image()
    weight = imports.constant(inputs[1], "its weight")
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
    return _layer(imports, node, flow, weight, _shift(bias, len(weight)), window, groups)


def _gemm(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
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


def _matmul(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
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
    return np.broadcast_to(_finite(bias).astype(np.float64).reshape(-1), (outputs,))


def _linear(
    imports: Importer, node: OnnxNode, flow: Flow, weight: Array, bias: Array | None
) -> Flow:
    """A layer of weights (O, K): a convolution as large as the image, or a linear node."""
    c, h, w = flow.shape
    if flow.dims != (c * h * w,) or any(flow.pads) or weight.shape[1:] != (c * h * w,):
        msg = f"weights {list(weight.shape)} meet a value of shape (N, {list(flow.dims)})"
        raise CannotConvert(
            msg,
            "flatten to (N, K) before a linear layer",
        )
    if flow.last:
        weight = weight.reshape(-1, h, w, c).transpose(0, 3, 1, 2).reshape(weight.shape)
    kernel = weight.reshape(len(weight), c, h, w)
    if flow.levels is not None and binary_parts(weight) is not None:
        value = _layer(imports, node, flow, kernel, bias, Window(), 1)
        return Flow(value.name, value.shape, (len(weight),))
    reason = REAL_WEIGHTS if binary_parts(weight) is None else REAL_INPUT
    plain = floats(imports, flow, node.name)
    constants = _constants(_finite(weight), bias)
    name = imports.node("linear", node.name, (plain.name,), {}, constants)
    imports.add_float_layer(node.name, node.op, name, reason)
    return Flow(name, imports.shape(name), (len(weight),))


def _constants(weight: Array, bias: Array | None) -> dict[str, Array]:
    return {"weight": weight} if bias is None else {"weight": weight, "bias": bias}


def _biased(imports: Importer, value: str, bias: Array | None, name: str) -> Flow:
    """A value plus one number a channel."""
    flow = imports.bare(value)
    if bias is None:
        return flow
    return imports.affine(flow, np.ones(flow.channels), bias, f"{name}.bias")


def _finite(array: Array) -> Array:
    if not np.isfinite(array).all():
        msg = "its weights hold infinity"
        raise CannotConvert(msg, "check the model's weights")
    return array


def _layer(
    imports: Importer,
    node: OnnxNode,
    flow: Flow,
    weight: Array,
    bias: Array | None,
    window: Window,
    groups: int,
) -> Flow:
    _finite(weight)
    parts = binary_parts(weight)
    if parts is None or flow.levels is None:
        reason = REAL_WEIGHTS if parts is None else REAL_INPUT
        return _float_conv(imports, node, flow, weight, bias, window, reason)
    signs, scale = parts
    if groups == flow.channels == len(weight) and groups > 1:
        alone = binary_depthwise(imports, flow, signs, scale, window, node.name)
        if alone is not None:
            return _biased(imports, alone, bias, node.name)
    if groups > 1:
        together = binary_groups(imports, flow, signs, scale, window, node.name)
        if together is not None:
            return _biased(imports, together, bias, node.name)
    if groups > 1 and signs.shape[1] >= _WORTH_SPLITTING:
        return _split(imports, node, flow, weight, bias, window, groups)
    try:
        dense = _dense(signs, groups)
        value, rest = binary_conv(imports, flow, dense, scale, window, node.name)
    except CannotConvert as error:
        reason = f"{error.reason} ({error.remedy})"
        return _float_conv(imports, node, flow, weight, bias, window, reason)
    return _biased(imports, value, rest if bias is None else rest + bias, node.name)


_WORTH_SPLITTING = 8
"""Channels of a group from which on its own convolution is less work than zeros for the others."""


def _split(
    imports: Importer,
    node: OnnxNode,
    flow: Flow,
    weight: Array,
    bias: Array | None,
    window: Window,
    groups: int,
) -> Flow:
    """One convolution for each group."""
    count, outputs = weight.shape[1], len(weight) // groups
    values = []
    for g in range(groups):
        part = imports.select(flow, np.arange(g * count, (g + 1) * count), f"{node.name}.group{g}")
        own = slice(g * outputs, (g + 1) * outputs)
        shift = None if bias is None else bias[own]
        values.append(_layer(imports, node, part, weight[own], shift, window, 1).name)
    return imports.bare(imports.node("concat", node.name, values))


def _dense(weight: Array, groups: int) -> Array:
    """Weights of one group, with zeros for the channels of the other groups."""
    if groups == 1:
        return weight
    o, c, kh, kw = weight.shape
    if o * c * groups * kh * kw > WEIGHT_LIMIT:
        msg = f"{groups} groups of {c} channels would be {o * c * groups * kh * kw:,} weights"
        raise CannotConvert(
            msg,
            "use fewer groups",
        )
    dense = np.zeros((groups, o // groups, groups, c, kh, kw), weight.dtype)
    for g in range(groups):
        dense[g, :, g] = weight.reshape(groups, o // groups, c, kh, kw)[g]
    return dense.reshape(o, groups * c, kh, kw)


def _float_conv(
    imports: Importer,
    node: OnnxNode,
    flow: Flow,
    weight: Array,
    bias: Array | None,
    window: Window,
    reason: str,
) -> Flow:
    pads, fill = flow.pads, flow.fill
    inner = Flow(flow.name, flow.shape, flow.shape, flow.levels)
    plain = floats(imports, inner, node.name)
    if fill is not None and fill.any():
        if any(window.padding):
            msg = "pads zeros around a value that was padded otherwise"
            raise CannotConvert(msg, "pad once")
        # conv(x padded with p) = conv(x - p padded with 0) + p * (all its weights)
        plain = imports.affine(plain, np.ones_like(fill), -fill, f"{node.name}.shift")
        bias = _through(weight, fill) + (0 if bias is None else bias)
    padding = [a + b for a, b in zip(window.padding, pads, strict=True)]
    attributes = {**window.attributes(), "padding": tuple(padding)}
    constants = _constants(weight, bias)
    name = imports.node("conv", node.name, (plain.name,), attributes, constants)
    imports.add_float_layer(node.name, node.op, name, reason)
    return imports.bare(name)


def _through(weight: Array, fill: Array) -> Array:
    """What an image that is the same everywhere becomes, (O,); fill: (C,)."""
    groups = len(fill) // weight.shape[1]
    parts = zip(np.split(weight.astype(np.float64), groups), np.split(fill, groups), strict=True)
    return np.concatenate([np.einsum("ocyx,c->o", *part) for part in parts])


LAYER_RULES = {"Conv": _conv, "Gemm": _gemm, "MatMul": _matmul}
