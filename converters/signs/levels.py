"""Levels of a value's sign: how they begin, and what functions make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.flow import Flow, Levels
from bnas_deploy.converters.signs.importer import Importer

__all__ = ["of_sign", "on_levels", "same_sign", "two_levels"]


def on_levels(flow: Flow, function: Callable[[Array], Array]) -> Flow:
    """A value with levels behind an elementwise function of channels."""
    assert flow.levels is not None
    return flow.with_levels(function, flow.levels.mapped(function))


def two_levels(flow: Flow, low: float, mid: float, high: float) -> Flow:
    """A float as a function of its sign."""

    def function(x: Array) -> Array:
        return np.where(x > 0, high, np.where(x < 0, low, mid))

    ones = np.ones(flow.channels)
    return flow.with_levels(function, Levels(low * ones, mid * ones, high * ones))


def of_sign(imports: Importer, flow: Flow, function: Callable[[Array], Array]) -> Flow:
    """A float behind a function that depends on its sign alone, of whatever has that sign."""
    if not any(flow.pads):
        flow = replace(flow, name=same_sign(imports, flow.name))
        pieces = imports.pieces.get(flow.name)
        if pieces is not None and same_sign(imports, pieces.rest.name) == pieces.base:
            ends = zip(pieces.levels.all, (-1.0, 0.0, 1.0), strict=True)
            known = Levels(*(np.where(np.isnan(x), end, x) for x, end in ends))
            return on_levels(replace(flow, name=pieces.base, levels=known), function)
    return two_levels(flow, *(float(x) for x in function(np.array([-1.0, 0.0, 1.0]))))


def same_sign(imports: Importer, value: str) -> str:
    """What a value has the sign of, zero included: a clip around zero, and others, change none."""
    chain, zeros = imports.chain(value), np.zeros(imports.shape(value)[0])
    if chain is None or not chain.holds(zeros) or (chain.direction < 0).any():
        return value
    return value if chain.inverse(zeros).any() else chain.source
