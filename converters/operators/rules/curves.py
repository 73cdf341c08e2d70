"""Curves: smooth functions of one element, most of which no step computes.

They are understood of levels, in front of a sign or compare, and where they cancel in a sum. Tanh
and the Gelu that is made of it are understood everywhere, by a Sigmoid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arithmetic import STEEP, product, softsign
from bnas_deploy.converters.signs.adding import added
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.levels import on_levels, two_levels
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.rising import Rising, inverted

__all__ = ["CURVE_RULES"]

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class _Curve:
    """A function of one element.

    Attributes:
        make: From a node's attributes to the function.
        rises: Whether it rises everywhere.
        ends: Whether it is -1 and 1 at the ends, so that it is a sign where it is steep.
    """

    make: Callable[[dict[str, Any]], Function]
    rises: bool = True
    ends: bool = False


def _erf(x: Array) -> Array:
    return np.array([math.erf(number) for number in x])


def _softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def _elu(attributes: dict[str, Any], alpha: float = 1.0, gamma: float = 1.0) -> Function:
    a, scale = (float(attributes.get(k, v)) for k, v in (("alpha", alpha), ("gamma", gamma)))
    return lambda x: scale * np.where(x > 0, x, a * np.expm1(np.minimum(x, 0)))


def _celu(attributes: dict[str, Any]) -> Function:
    a = float(attributes.get("alpha", 1.0))
    return lambda x: np.maximum(x, 0) + np.minimum(a * np.expm1(np.minimum(x, 0) / a), 0)


def _gelu(attributes: dict[str, Any]) -> Function:
    if attributes.get("approximate", "none") == "tanh":
        return lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return lambda x: x / 2 * (1 + _erf(x / math.sqrt(2)))


def _of(function: Any) -> Callable[[dict[str, Any]], Function]:  # noqa: ANN401
    return lambda attributes: function


_CURVES = {
    "Asinh": _Curve(_of(np.arcsinh)),
    "Atan": _Curve(_of(np.arctan)),
    "Celu": _Curve(_celu),
    "Cos": _Curve(_of(np.cos), rises=False),
    "Elu": _Curve(_elu),
    "Erf": _Curve(_of(_erf), ends=True),
    "Exp": _Curve(_of(np.exp)),
    "Gelu": _Curve(_gelu, rises=False),
    "Log": _Curve(_of(np.log), rises=False),
    "Mish": _Curve(_of(lambda x: x * np.tanh(_softplus(x))), rises=False),
    "Reciprocal": _Curve(_of(lambda x: 1 / x), rises=False),
    "Selu": _Curve(lambda given: _elu(given, 1.67326319217681884765625, 1.05070102214813232421875)),
    "Sin": _Curve(_of(np.sin), rises=False),
    "Sinh": _Curve(_of(np.sinh)),
    "Softplus": _Curve(_of(_softplus)),
    "Softsign": _Curve(_of(softsign)),
    "Sqrt": _Curve(_of(np.sqrt), rises=False),
    "Tanh": _Curve(_of(np.tanh), ends=True),
}


def _curve(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow, curve = imports.flow(inputs[0]), _CURVES[node.op]
    function = curve.make(dict(node.attributes))
    if flow.levels is not None:
        with np.errstate(all="ignore"):
            return on_levels(flow, function)
    steep = imports.steep.get(flow.name)
    if curve.ends and steep is not None and not any(flow.pads):
        imports.note(f"{node.name}: {node.op} of x times {STEEP:g} or more counts as Sign")
        return two_levels(replace(flow, name=steep.name), -1, 0, 1)
    rising = Rising(flow.name, function, inverted(function)) if curve.rises else None
    if node.op == "Tanh":
        value = _tanh(imports, flow, node.name)
        imports.rising[value] = Rising(flow.name, np.tanh, np.arctanh)
        return replace(flow, name=value, fill=flow.filled(np.tanh))
    if node.op == "Gelu" and node.attributes.get("approximate", "none") == "tanh":
        return _gelu_of_tanh(imports, flow, node.name)
    msg = "no step computes this function; it is understood of a sign, or in front of one"
    raise CannotConvert(msg, _INSTEAD.get(node.op, "use PRelu, HardSwish, Sigmoid or Tanh"), rising)


_INSTEAD = {
    "Elu": "use PRelu or HardSwish",
    "Erf": "use Tanh, or HardSwish in place of Gelu",
    "Gelu": "use its approximation by Tanh, or HardSwish",
    "Mish": "use HardSwish",
    "Softplus": "use Relu; in place of Mish, HardSwish",
}


def _gelu_of_tanh(imports: Importer, flow: Flow, name: str) -> Flow:
    """As x * sigmoid(sqrt(8 / pi) * (x + 0.044715 * x^3))."""
    ones = np.ones(flow.channels)
    cube = product(imports, product(imports, flow, flow, f"{name}.2"), flow, f"{name}.3")
    part = imports.affine(cube, 0.044715 * ones, 0 * ones, f"{name}.part")
    inner = added(imports, flow, part, f"{name}.sum")
    scaled = imports.affine(inner, math.sqrt(8 / math.pi) * ones, 0 * ones, f"{name}.scaled")
    gate = imports.node("sigmoid", f"{name}.sigmoid", (scaled.name,))
    return product(imports, flow, flow.of(gate), name)


def _tanh(imports: Importer, flow: Flow, name: str) -> str:
    """As 2 * sigmoid(2 * x) - 1."""
    twice = imports.beside(flow.name, 2.0, 0.0, f"{name}.twice")
    gate = imports.bare(imports.node("sigmoid", f"{name}.sigmoid", (twice,)))
    ones = np.ones(flow.channels)
    return imports.affine(gate, 2 * ones, -ones, name).name


CURVE_RULES = dict.fromkeys(_CURVES, _curve)
