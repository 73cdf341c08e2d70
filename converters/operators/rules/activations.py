"""Activations: ReLU and its kin, bounds, gates. Signs are in `rules.elementwise`.

On a value that has levels, every one of them only changes the levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arithmetic import STEEP
from bnas_deploy.converters.operators.rules.broadcast import alike
from bnas_deploy.converters.signs.adding import added, settled
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.levels import on_levels, two_levels
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ACTIVATION_RULES"]


def _relu(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    return _relu_of(imports, imports.flow(inputs[0]), node.name)


def _relu_of(imports: Importer, flow: Flow, name: str) -> Flow:
    def function(x: Array) -> Array:
        return np.maximum(x, 0)

    if flow.levels is not None:
        return on_levels(flow, function)
    result = replace(flow, fill=flow.filled(function))
    return replace(result, name=imports.node("relu", name, (flow.name,)))


def _prelu(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    slope = np.full(flow.channels, float(node.attributes.get("alpha", 0.01)))
    if node.op == "PRelu":
        slope = flow.per_channel(imports.constant(inputs[1], "its slope"))

    def function(x: Array) -> Array:
        return np.where(x > 0, x, slope * x)

    if flow.levels is not None:
        return on_levels(flow, function)
    value = imports.node("prelu", node.name, (flow.name,), {}, {"slope": slope})
    return replace(flow, name=value, fill=flow.filled(function))


def _sigmoid(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])

    def function(x: Array) -> Array:
        return np.asarray(1 / (1 + np.exp(-x)))

    if flow.levels is not None:
        return on_levels(flow, function)
    value = imports.node("sigmoid", node.name, (flow.name,))
    return replace(flow, name=value, fill=flow.filled(function))


def _hard_sigmoid(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    """max(0, min(1, alpha * x + beta)); HardSwish is x times that."""
    swish = node.op == "HardSwish"
    flow = imports.flow(inputs[0])
    alpha, beta = (1 / 6, 0.5) if swish else (
        float(node.attributes.get("alpha", 0.2)), float(node.attributes.get("beta", 0.5)),
    )  # fmt: skip

    def function(x: Array) -> Array:
        gate = np.clip(alpha * x + beta, 0, 1)
        return np.asarray(x * gate if swish else gate)

    if flow.levels is not None:
        return on_levels(flow, function)
    name, terms = f"{node.name}.gate" if swish else node.name, np.array([alpha, beta])
    value = imports.node("hard_sigmoid", name, (flow.name,), {}, {"terms": terms})
    if swish:
        value = imports.node("multiply", node.name, (flow.name, value))
    return replace(flow, name=value, fill=flow.filled(function))


def _clip(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    low, high = _bounds(imports, flow, node, inputs)

    def function(x: Array) -> Array:
        return np.clip(x, low, high)

    if flow.levels is not None:
        return on_levels(flow, function)
    steep = imports.steep.get(flow.name)
    hard = bool((low == -1).all() and (high == 1).all())
    if hard and steep is not None and not any(flow.pads):
        imports.note(f"{node.name}: Clip of x times {STEEP:g} or more counts as Sign")
        return two_levels(replace(flow, name=steep.name), -1, 0, 1)
    if (low > high).any():
        msg = f"clips to {low.max()} to {high.min()}"
        raise CannotConvert(msg, "the lower bound must not be the greater one")
    value = _clipped(imports, flow.name, low, high, node.name)
    return replace(flow, name=value, fill=flow.filled(function))


def _bounds(
    imports: Importer, flow: Flow, node: OperatorNode, inputs: Sequence[Any]
) -> tuple[Array, Array]:
    """Of each channel, (C,)."""
    bounds = []
    for place, default in ((1, -np.inf), (2, np.inf)):
        given = inputs[place] if len(inputs) > place else None
        array = np.array(default) if given is None else imports.constant(given, "its bound")
        bounds.append(flow.per_channel(array))
    return bounds[0], bounds[1]


def _clipped(imports: Importer, value: str, low: Array, high: Array, name: str) -> str:
    return imports.node("clip", name, (value,), {}, {"low": low, "high": high})


def _extreme(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    """Max and Min of a value and a constant are half a Clip."""
    result = inputs[0]
    for other in inputs[1:]:
        result = _extreme_of_two(imports, node, result, other)
    return imports.flow(result)


def _extreme_of_two(imports: Importer, node: OperatorNode, a: Any, b: Any) -> Flow:  # noqa: ANN401
    given = [settled(imports, value) for value in (a, b)]
    if all(isinstance(x, Flow) for x in given):  # max(x, y) = x + relu(y - x)
        x, y = alike(imports, given[0], given[1], node.name)
        turn = 1.0 if node.op == "Max" else -1.0
        apart = added(imports, y, x, f"{node.name}.difference", -1.0)
        ones = np.ones(x.channels)
        part = _relu_of(imports, imports.affine(apart, turn * ones, 0 * ones, node.name), node.name)
        return added(imports, x, part, node.name, turn)
    x, y = given if isinstance(given[0], Flow) else reversed(given)
    bounds = (y, None) if node.op == "Max" else (None, y)
    return _clip(imports, node, (x, *bounds))


def _absolute(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if flow.levels is not None:
        return on_levels(flow, np.abs)
    value = imports.node("prelu", node.name, (flow.name,), {}, {"slope": -np.ones(flow.channels)})
    imports.magnitudes[value] = flow.name
    return replace(flow, name=value, fill=flow.filled(np.abs))


ACTIVATION_RULES = {
    "Abs": _absolute,
    "Clip": _clip,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_sigmoid,
    "LeakyRelu": _prelu,
    "Max": _extreme,
    "Min": _extreme,
    "PRelu": _prelu,
    "Relu": _relu,
    "Sigmoid": _sigmoid,
}
