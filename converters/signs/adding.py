"""Adds values, so that what cancels is gone: (sign(x) - f(x)) + f(x) is sign(x), whatever f is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.signs.binary_layers import floats
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.order import arranged
from bnas_deploy.converters.signs.sums import Sum

__all__ = ["added", "settled"]


def settled(imports: Importer, value: Any) -> Any:  # noqa: ANN401
    """Return a value that is the same for every image as an array, anything else as it is."""
    if not isinstance(value, Flow) or any(value.pads):
        return value
    total = imports.sum_of(value)
    if total.floats or total.signs:
        return value
    if (total.constant == total.constant[:1]).all():
        return np.array(total.constant[0])
    if value.order:
        image = np.broadcast_to(total.constant[:, None, None], value.shape)
        return arranged(image, value.order).reshape(1, *value.dims)
    column = (-1,) + (1,) * (len(value.dims) - 1)
    return total.constant.reshape(column) if value.dims[0] == value.channels else value


def added(imports: Importer, a: Flow, b: Flow, name: str, factor: float = 1.0) -> Flow:
    """Return a + factor * b.

    The result has levels where it is levels of one sign, and no term that cancels. That is exact
    for real numbers; a note says where the rounding of floats is left out.

    Args:
        imports: The import.
        a: Any value.
        b: Of the same shape.
        name: For the node.
        factor: 1 or -1.

    Raises:
        CannotConvert: The values are padded, or of different shapes.
    """
    a.need_bare()
    b.need_bare()
    if a.shape != b.shape or a.dims != b.dims or a.order != b.order:
        msg = f"adds values of shapes {list(a.dims)} and {list(b.dims)}"
        raise CannotConvert(msg, "make them equal")
    total = _total(imports, a, b, factor)
    ones = np.ones(a.channels)
    for x, y, (alpha, beta) in ((a, b, (1.0, factor)), (b, a, (factor, 1.0))):
        known = imports.sum_of(y)
        if not known.floats and not known.signs:
            return imports.affine(x, alpha * ones, beta * known.constant, name)
    if total.cancelled:
        return _rebuilt(imports, a, total, name)
    if total.sign is not None:
        value, levels = total.sign
        return replace(a, name=value, levels=levels)
    return _in_floats(imports, a, b, total, name, factor)


def _total(imports: Importer, a: Flow, b: Flow, factor: float) -> Sum:
    """The sum, seen so that something cancels if it can; else with few terms."""
    x, y = imports.sum_of(a), imports.sum_of(b)
    one, other = _itself(a, x), _itself(b, y)
    ways = [(x, y), (x, other), (one, y), (one, other)]
    shift = np.zeros(a.channels)
    sums = [p.plus(q.scaled(factor + shift, shift)) for p, q in ways]
    cancelled = [total for total in sums if total.cancelled]
    small = [total for total in sums if total.small]
    return (cancelled or small)[0]


def _itself(flow: Flow, known: Sum) -> Sum:
    return known if flow.levels is not None else Sum.of_float(flow.name, flow.channels)


def _rebuilt(imports: Importer, like: Flow, total: Sum, name: str) -> Flow:
    """The terms that are left, added one by one."""
    if total.rounded:
        imports.note(f"{name}: what cancels in its sum is left out, with the rounding of floats")
    zeros = np.zeros(like.channels)
    terms = [replace(like, name=n, levels=levels) for n, (levels, _) in total.signs.items()]
    terms += [
        imports.affine(replace(like, name=n, levels=None), coefficient, zeros, f"{name}.scaled")
        for n, (coefficient, _) in total.floats.items()
    ]
    if not terms:
        zero = imports.node("zero", f"{name}.zero", (), {"shape": like.shape})
        terms = [replace(like, name=zero, levels=None)]
    result = imports.affine(terms[0], zeros + 1, total.constant, name)
    for term in terms[1:]:
        whole = imports.sum_of(result).plus(imports.sum_of(term))
        result = _in_floats(imports, result, term, whole, name, 1.0)
    return result


def _in_floats(imports: Importer, a: Flow, b: Flow, total: Sum, name: str, factor: float) -> Flow:
    x, y = floats(imports, a, f"{name}.a"), floats(imports, b, f"{name}.b")
    if factor != 1:
        ones = np.ones(b.channels)
        y = imports.affine(y, factor * ones, 0 * ones, f"{name}.minus")
    result = x.of(imports.node("add", name, (x.name, y.name)))
    imports.sums.setdefault(result.name, total)
    return result
