"""Convolutions and linear layers: which are binary, and what the others become."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.adding import added
from bnas_deploy.converters.signs.binary_layers import (
    Window,
    binary_conv,
    binary_depthwise,
    binary_groups,
    floats,
)
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.found import BinaryLayer
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.limits import WEIGHT_LIMIT
from bnas_deploy.converters.signs.lost import LOST_SIGN, sign_may_be_lost
from bnas_deploy.converters.signs.magnitudes import BinaryWeights, binary_weights
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["Layer", "finite", "layer_value", "linear_value"]

REAL_WEIGHTS = "its weights are not one magnitude an output channel"
REAL_INPUT = "its input is not binary"


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of the model.

    Attributes:
        name: Of the model's node.
        op: Its operator.
        flow: What it reads.
        weight: (O, C / groups, kh, kw).
        bias: (O,) float64, or None.
        window: How it moves.
        groups: Of its channels.
    """

    name: str
    op: str
    flow: Flow
    weight: Array
    bias: Array | None
    window: Window
    groups: int

    def part(self, group: int, flow: Flow, name: str) -> Layer:
        """Return one of its groups, which reads a value of its own."""
        count = len(self.weight) // self.groups
        own = slice(group * count, (group + 1) * count)
        bias = None if self.bias is None else self.bias[own]
        return replace(self, name=name, flow=flow, weight=self.weight[own], bias=bias, groups=1)


def finite(array: Array) -> Array:
    """Check numbers of a layer.

    Raises:
        CannotConvert: One is infinite.
    """
    if not np.isfinite(array).all():
        msg = "its weights hold infinity"
        raise CannotConvert(msg, "check the model's weights")
    return array


def layer_value(imports: Importer, layer: Layer) -> Flow:
    """Append a convolution, binary if it can be, with its bias."""
    weights = binary_weights(finite(layer.weight))
    reason = _reason(imports, layer.flow, weights)
    if isinstance(weights, float) or reason is not None:
        return _float_conv(imports, layer, str(reason))
    try:
        if weights.offset.any():
            value = _with_offset(imports, layer, weights)
            _found_binary(imports, layer, value)
            return value
        value = _binary(imports, layer, weights)
    except CannotConvert as error:
        return _float_conv(imports, layer, f"{error.reason} ({error.remedy})")
    _found_binary(imports, layer, value)
    if weights.deviation:
        away = f"the rounding of a sum, at most {weights.deviation:.1g}"
        imports.note(f"{layer.name}: its weights are of one magnitude up to {away}", value.name)
    return value


def _found_binary(imports: Importer, layer: Layer, value: Flow) -> None:
    found = BinaryLayer(layer.name, layer.op, value.name, layer.weight.size)
    imports.binary_layers.append(found)


def linear_value(imports: Importer, layer: Layer) -> Flow:
    """Append a linear layer whose weights are as large as what it reads, flattened."""
    flow, outputs = layer.flow, len(layer.weight)
    weights = binary_weights(finite(layer.weight))
    reason = _reason(imports, flow, weights)
    if reason is None:
        value = layer_value(imports, layer)
        return Flow(value.name, value.shape, (outputs,))
    plain = floats(imports, flow, layer.name)
    constants = _constants(layer.weight.reshape(outputs, -1), layer.bias)
    name = imports.node("linear", layer.name, (plain.name,), {}, constants)
    imports.add_float_layer(layer.name, layer.op, name, reason, layer.weight.size)
    return Flow(name, imports.shape(name), (outputs,))


def _reason(imports: Importer, flow: Flow, weights: BinaryWeights | float) -> str | None:
    """Why a layer is not binary, if it is not."""
    if isinstance(weights, float):
        return f"{REAL_WEIGHTS} (they are up to {weights:.2g} from it)"
    if flow.levels is not None:
        return None
    return LOST_SIGN if sign_may_be_lost(imports, flow.name, weights) else REAL_INPUT


def _with_offset(imports: Importer, layer: Layer, weights: BinaryWeights) -> Flow:
    """Weights offset + scale * sign: the sum of the inputs is one more filter, times the offset."""
    none, groups = np.zeros_like(weights.offset), layer.groups
    signed = _binary(imports, layer, replace(weights, offset=none))
    shape = (groups, *weights.signs.shape[1:])
    ones = BinaryWeights(np.ones(shape, np.int8), np.ones(groups), np.zeros(groups), 0.0)
    name = f"{layer.name}.sum"
    total = _binary(imports, replace(layer, name=name, weight=ones.signs, bias=None), ones)
    own = np.repeat(np.arange(groups), len(weights.offset) // groups)
    each = imports.select(total, own, f"{name}.each")
    shift = imports.affine(each, weights.offset, none, f"{name}.offset")
    what = "its weights have two levels that are not opposite"
    imports.note(f"{layer.name}: {what}; one more filter adds up its input", signed.name)
    return added(imports, signed, shift, f"{layer.name}.levels")


def _binary(imports: Importer, layer: Layer, weights: BinaryWeights) -> Flow:
    """A layer of weights without offset."""
    name, flow, window, groups = layer.name, layer.flow, layer.window, layer.groups
    signs, scale = weights.signs, weights.scale
    if groups == flow.channels == len(scale) and groups > 1:
        alone = binary_depthwise(imports, flow, signs, scale, window, name)
        if alone is not None:
            return _biased(imports, alone, layer.bias, name)
    if groups > 1:
        together = binary_groups(imports, flow, signs, scale, window, name)
        if together is not None:
            return _biased(imports, together, layer.bias, name)
    if groups > 1 and signs.shape[1] >= _WORTH_SPLITTING:
        return _split(imports, layer, weights)
    value, rest = binary_conv(imports, flow, _dense(signs, groups), scale, window, name)
    return _biased(imports, value, rest if layer.bias is None else rest + layer.bias, name)


_WORTH_SPLITTING = 8
"""Channels of a group from which on its own convolution is less work than zeros for the others."""


def _split(imports: Importer, layer: Layer, weights: BinaryWeights) -> Flow:
    """One convolution for each group."""
    count = weights.signs.shape[1]
    whole = replace(layer, weight=weights.signs * weights.scale[:, None, None, None])
    values = []
    for g in range(layer.groups):
        name = f"{layer.name}.group{g}"
        read = imports.select(layer.flow, np.arange(g * count, (g + 1) * count), name)
        part = whole.part(g, read, layer.name)
        mine = binary_weights(part.weight)
        assert isinstance(mine, BinaryWeights)
        values.append(_binary(imports, part, mine).name)
    return imports.bare(imports.node("concat", layer.name, values))


def _dense(weight: Array, groups: int) -> Array:
    """Weights of one group, with zeros for the channels of the other groups."""
    if groups == 1:
        return weight
    o, c, kh, kw = weight.shape
    if o * c * groups * kh * kw > WEIGHT_LIMIT:
        msg = f"{groups} groups of {c} channels would be {o * c * groups * kh * kw:,} weights"
        raise CannotConvert(msg, "use fewer groups")
    dense = np.zeros((groups, o // groups, groups, c, kh, kw), weight.dtype)
    for g in range(groups):
        dense[g, :, g] = weight.reshape(groups, o // groups, c, kh, kw)[g]
    return dense.reshape(o, groups * c, kh, kw)


def _biased(imports: Importer, value: str, bias: Array | None, name: str) -> Flow:
    """A value plus one number a channel."""
    flow = imports.bare(value)
    if bias is None:
        return flow
    return imports.affine(flow, np.ones(flow.channels), bias, f"{name}.bias")


def _float_conv(imports: Importer, layer: Layer, reason: str) -> Flow:
    flow, bias, weight = layer.flow, layer.bias, layer.weight
    plain = floats(imports, Flow(flow.name, flow.shape, flow.shape, flow.levels), layer.name)
    if flow.fill is not None and flow.fill.any():
        if any(layer.window.padding):
            msg = "pads zeros around a value that was padded otherwise"
            raise CannotConvert(msg, "pad once")
        # conv(x padded with p) = conv(x - p padded with 0) + p * (all its weights)
        ones = np.ones_like(flow.fill)
        plain = imports.affine(plain, ones, -flow.fill, f"{layer.name}.shift")
        bias = _through(weight, flow.fill) + (0 if bias is None else bias)
    padding = [a + b for a, b in zip(layer.window.padding, flow.pads, strict=True)]
    attributes = {**layer.window.attributes(), "padding": tuple(padding)}
    name = imports.node("conv", layer.name, (plain.name,), attributes, _constants(weight, bias))
    imports.add_float_layer(layer.name, layer.op, name, reason, weight.size)
    return imports.bare(name)


def _constants(weight: Array, bias: Array | None) -> dict[str, Array]:
    return {"weight": weight} if bias is None else {"weight": weight, "bias": bias}


def _through(weight: Array, fill: Array) -> Array:
    """What an image that is the same everywhere becomes, (O,); fill: (C,)."""
    groups = len(fill) // weight.shape[1]
    parts = zip(np.split(weight.astype(np.float64), groups), np.split(fill, groups), strict=True)
    return np.concatenate([np.einsum("ocyx,c->o", *part) for part in parts])
