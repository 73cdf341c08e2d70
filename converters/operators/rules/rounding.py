"""Rounding to one of two numbers: another spelling of a sign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.signs.flow import Flow, Levels
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.levels import on_levels
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ROUNDING_RULES"]

_ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "Ceil": np.ceil,
    "Floor": np.floor,
    "Round": np.rint,
}


def _rounded(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    """A value between two neighbours that is rounded to one of them changes at one threshold."""
    flow, function = imports.flow(inputs[0]), _ROUNDINGS[node.op]
    if flow.levels is not None:
        return on_levels(flow, function)
    chain = imports.chain(flow.name)
    if chain is None or not np.isfinite([chain.low, chain.high]).all():
        msg = "rounds a value that is not clipped"
        raise CannotConvert(msg, "clip it to two whole numbers beside each other; use one bit")
    lower, upper = function(chain.low), function(chain.high)
    if any(flow.pads) or not (upper == lower + 1).all():
        msg = "rounds to more than two numbers"
        raise CannotConvert(msg, "clip to two whole numbers beside each other; use one bit")
    edge = {"Ceil": lower, "Floor": upper, "Round": (lower + upper) / 2}[node.op]
    bound, turn = chain.inverse(edge), chain.direction
    source = replace(flow, name=chain.source)
    above = imports.affine(source, turn, -bound * turn, f"{node.name}.above")
    middle = {"Ceil": lower, "Floor": upper, "Round": np.rint(edge)}[node.op]
    return replace(above, levels=Levels(lower, middle, upper))


ROUNDING_RULES = dict.fromkeys(_ROUNDINGS, _rounded)
