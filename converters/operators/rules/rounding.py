"""Rounding to one of two numbers, and steep or odd functions: further spellings of a sign."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arithmetic import STEEP
from bnas_deploy.converters.signs.flow import Flow, Levels
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.levels import on_levels, two_levels
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ROUNDING_RULES"]

_ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "Ceil": np.ceil,
    "Floor": np.floor,
    "Round": np.rint,
}


def _rounded(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    """A clip or sigmoid that is rounded to one of two neighbours changes at one threshold."""
    flow, function = imports.flow(inputs[0]), _ROUNDINGS[node.op]
    if flow.levels is not None:
        return on_levels(flow, function)
    low, high, place = _ends(imports, flow)
    lower, upper = function(low), function(high)
    if any(flow.pads) or not (upper == lower + 1).all():
        msg = "rounds to more than two numbers"
        raise CannotConvert(msg, "clip to two whole numbers beside each other; use one bit")
    edge = {"Ceil": lower, "Floor": upper, "Round": (lower + upper) / 2}[node.op]
    source, bound = place(edge)
    above = imports.affine(
        replace(flow, name=source), np.ones_like(bound), -bound, f"{node.name}.above"
    )
    middle = {"Ceil": lower, "Floor": upper, "Round": np.rint(edge)}[node.op]
    return replace(above, levels=Levels(lower, middle, upper))


Place = Callable[[Array], tuple[str, Array]]


def _ends(imports: Importer, flow: Flow) -> tuple[Array, Array, Place]:
    """The bounds of a value, (C,) each, and which value passes what number where it passes one."""
    producer = imports.producer(flow.name)
    if producer is not None and producer.op == "clip":
        source = producer.inputs[0]
        low, high = (producer.constants[key].astype(np.float64) for key in ("low", "high"))
        if np.isfinite(low).all() and np.isfinite(high).all():
            return low, high, lambda edge: (source, edge)
    if producer is not None and producer.op == "sigmoid":
        source, ones = producer.inputs[0], np.ones(flow.channels)
        with np.errstate(divide="ignore"):
            return 0 * ones, ones, lambda edge: (source, np.log(edge / (1 - edge)))
    if producer is not None and producer.op == "hard_sigmoid":
        source, ones = producer.inputs[0], np.ones(flow.channels)
        alpha, beta = producer.constants["terms"].astype(np.float64)
        if alpha > 0:
            return 0 * ones, ones, lambda edge: (source, (edge - beta) / alpha)
    msg = "rounds a value that is not clipped"
    raise CannotConvert(msg, "clip it to two whole numbers beside each other; use one bit")


def _odd(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if flow.levels is not None:
        return on_levels(flow, np.tanh if node.op == "Tanh" else _erf)
    steep = imports.steep.get(flow.name)
    if steep is not None and not any(flow.pads):
        imports.note(f"{node.name}: {node.op} of x times {STEEP:g} or more counts as Sign")
        return two_levels(replace(flow, name=steep.name), -1, 0, 1)
    if node.op == "Erf":
        msg = "this operator is understood of a sign, or of x times 10^6 or more, only"
        raise CannotConvert(msg, "use Tanh or Clip")
    # tanh(x) = 2 * sigmoid(2 * x) - 1
    twice = imports.beside(flow.name, 2.0, 0.0, f"{node.name}.twice")
    gate = imports.bare(imports.node("sigmoid", f"{node.name}.sigmoid", (twice,)))
    ones = np.ones(flow.channels)
    value = imports.affine(gate, 2 * ones, -ones, node.name).name
    imports.odd[value] = flow.name
    return replace(flow, name=value, fill=flow.filled(np.tanh))


def _erf(x: Array) -> Array:
    return np.array([math.erf(number) for number in x])


ROUNDING_RULES = {**dict.fromkeys(_ROUNDINGS, _rounded), "Erf": _odd, "Tanh": _odd}
