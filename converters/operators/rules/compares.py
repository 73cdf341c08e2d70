"""Signs and compares: what makes levels of a float, and of what value they are the sign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.broadcast import alike
from bnas_deploy.converters.signs.adding import added, settled
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.levels import of_sign, on_levels
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["COMPARE_RULES", "compared"]

_COMPARES: dict[str, Callable[..., Any]] = {
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
}
_MIRRORED = {
    "Equal": "Equal",
    "Greater": "Less", "GreaterOrEqual": "LessOrEqual",
    "Less": "Greater", "LessOrEqual": "GreaterOrEqual",
}  # fmt: skip


def _sign(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if flow.levels is not None:
        return on_levels(flow, np.sign)
    return of_sign(imports, flow, np.sign)


def compared(imports: Importer, flow: Flow, bound: Array, op: str, name: str) -> Flow:
    """Return 1 where flow `op` bound holds, (C,), else 0; `op` is an ONNX operator's name."""
    if flow.levels is None and not any(flow.pads):
        flow, direction, bound = _before(imports, flow, bound)
    else:
        direction = np.ones_like(bound)
    result = imports.affine(flow, direction, -bound * direction, f"{name}.above")
    if result.levels is not None:
        return on_levels(result, lambda x: _COMPARES[op](x, 0))
    return of_sign(imports, result, lambda x: np.asarray(_COMPARES[op](x, 0)))


def _before(imports: Importer, flow: Flow, bound: Array) -> tuple[Flow, Array, Array]:
    """What a rising function is of: that, 1 or -1 where it falls, and the bound for it."""
    chain = imports.chain(flow.name)
    if chain is None or not chain.holds(bound):
        return flow, np.ones_like(bound), bound
    return replace(flow, name=chain.source), chain.direction, chain.inverse(bound)


def _compare(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    x, y = (settled(imports, value) for value in inputs)
    if isinstance(x, Flow) and isinstance(y, Flow):
        x, y = alike(imports, x, y, node.name)
        zeros = np.zeros(x.channels)
        apart = added(imports, x, y, f"{node.name}.difference", -1.0)
        return compared(imports, apart, zeros, node.op, node.name)
    op = node.op if isinstance(x, Flow) else _MIRRORED[node.op]
    flow, bound = (x, y) if isinstance(x, Flow) else (imports.flow(y), x)
    bound = flow.per_channel(imports.constant(bound, "what it compares with"))
    if not np.isfinite(bound).all():
        msg = "compares with infinity"
        raise CannotConvert(msg, "give the constant a finite value")
    return compared(imports, flow, bound, op, node.name)


COMPARE_RULES = {**dict.fromkeys(_COMPARES, _compare), "Sign": _sign}
