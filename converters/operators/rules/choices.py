"""What is chosen by a condition, and conditions of conditions.

A condition is 0 or 1, mostly as levels of one sign. A choice between numbers, and between levels of
that same sign, has levels, however many choices follow each other: so assignments in place are
signs. Any other choice is a sum of two products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arithmetic import product
from bnas_deploy.converters.operators.rules.broadcast import alike
from bnas_deploy.converters.signs.adding import added, settled
from bnas_deploy.converters.signs.flow import Flow, Levels
from bnas_deploy.converters.signs.importer import Importer, Pieces
from bnas_deploy.converters.signs.levels import on_levels, same_sign
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["CHOICE_RULES"]


def _where(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    condition = imports.flow(settled(imports, inputs[0]), "its condition")
    yes, no = (settled(imports, value) for value in inputs[1:])
    condition, yes, no = _together(imports, condition, yes, no, node.name)
    if any(condition.pads):
        return _of_padded(condition, yes, no)
    if condition.levels is not None:
        chosen = _chosen(imports, condition, yes, no)
        if chosen is not None:
            return _value(imports, condition, chosen, node.name)
    ones = np.ones(condition.channels)
    inverse = imports.affine(condition, -ones, ones, f"{node.name}.not")
    parts = [
        _times(imports, value, mask, f"{node.name}.{side}")
        for value, mask, side in ((yes, condition, "yes"), (no, inverse, "no"))
    ]
    return added(imports, parts[0], parts[1], node.name)


def _together(imports: Importer, condition: Flow, yes: Any, no: Any, name: str) -> list[Any]:  # noqa: ANN401
    """The three, all in the shape and order of the widest that is computed."""
    parts = [condition, yes, no]
    flows = [i for i, part in enumerate(parts) if isinstance(part, Flow)]
    if any(any(parts[i].pads) for i in flows):
        return parts
    for _ in range(2):  # the second time, all meet the widest
        for i in flows[1:]:
            parts[0], parts[i] = alike(imports, parts[0], parts[i], f"{name}.{i}")
    return parts


def _chosen(imports: Importer, condition: Flow, yes: Any, no: Any) -> Pieces | None:  # noqa: ANN401
    """The levels of a choice by one sign, NaN where it is a float; None if there are two floats."""
    assert condition.levels is not None
    x, y = (_pieces(imports, condition, value) for value in (yes, no))
    rests = {part.rest.name for part in (x, y) if part.some}
    if len(rests) > 1:
        return None
    each = zip(condition.levels.all, x.levels.all, y.levels.all, strict=True)
    levels = Levels(*(np.where(holds != 0, a, b) for holds, a, b in each))
    rest = x.rest if x.some else y.rest
    if same_sign(imports, rest.name) == condition.name:  # so at zero it is zero
        levels = replace(levels, mid=np.nan_to_num(levels.mid))
    return Pieces(condition.name, levels, rest)


def _pieces(imports: Importer, condition: Flow, value: Any) -> Pieces:  # noqa: ANN401
    base = condition.name
    if not isinstance(value, Flow):
        number = _number(condition, value)
        return Pieces(base, Levels(number, number, number), condition)
    if (value.shape, value.dims, value.order, value.pads) != (
        condition.shape, condition.dims, condition.order, condition.pads,
    ):  # fmt: skip
        msg = f"chooses from shapes {list(value.dims)} by one of {list(condition.dims)}"
        raise CannotConvert(msg, "make them equal")
    if value.levels is not None and value.name == base:
        return Pieces(base, value.levels, condition)
    known = imports.pieces.get(value.name)
    if known is not None and known.base == base and value.levels is None:
        return known
    nothing = np.full(condition.channels, np.nan)
    return Pieces(base, Levels(nothing, nothing, nothing), value)


def _of_padded(condition: Flow, yes: Any, no: Any) -> Flow:  # noqa: ANN401
    """Numbers, also around the image."""
    if condition.levels is None or isinstance(yes, Flow) or isinstance(no, Flow):
        msg = "chooses by a padded value"
        raise CannotConvert(msg, "pad behind it, or choose between two constants")
    a, b = _number(condition, yes), _number(condition, no)
    return on_levels(condition, lambda x: np.where(x != 0, a, b))


def _number(condition: Flow, value: Any) -> Array:  # noqa: ANN401
    number = condition.per_channel(np.asarray(value))
    if not np.isfinite(number).all():
        msg = "chooses infinity"
        raise CannotConvert(msg, "choose between finite constants")
    return number


def _value(imports: Importer, condition: Flow, chosen: Pieces, name: str) -> Flow:
    """Levels, or a float where there is one, and levels elsewhere."""
    if not chosen.some:
        return replace(condition, levels=chosen.levels)
    there = replace(condition, levels=chosen.levels.mapped(np.isnan))
    rest = _times(imports, chosen.rest, there, f"{name}.rest")
    numbers = replace(condition, levels=chosen.levels.mapped(np.nan_to_num))
    result = added(imports, rest, numbers, name)
    if result.levels is None:
        imports.pieces.setdefault(result.name, chosen)
    return result


def _times(imports: Importer, value: Any, mask: Flow, name: str) -> Flow:  # noqa: ANN401
    if isinstance(value, Flow):
        return product(imports, value, mask, name)
    number = mask.per_channel(imports.constant(value, "what it chooses"))
    return imports.affine(mask, number, 0 * number, name)


def _not(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if flow.levels is not None:
        return on_levels(flow, lambda x: x == 0)
    ones = np.ones(flow.channels)
    return imports.affine(flow, -ones, ones, node.name)


def _both(
    function: Callable[[Importer, Flow, Flow, str], Flow],
) -> Callable[[Importer, OperatorNode, Sequence[Any]], Flow]:
    def rule(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
        x, y = (settled(imports, value) for value in inputs)
        like = x if isinstance(x, Flow) else imports.flow(y)
        x, y = (v if isinstance(v, Flow) else _condition(imports, like, v) for v in (x, y))
        return function(imports, *alike(imports, x, y, node.name), node.name)

    return rule


def _condition(imports: Importer, like: Flow, value: Any) -> Flow:  # noqa: ANN401
    """A constant condition in the shape of a computed one."""
    holds = like.per_channel(np.asarray(value))
    if like.levels is not None:
        return replace(like, levels=Levels(holds, holds, holds))
    return imports.affine(like, 0 * holds, holds, f"{like.name}.condition")


def _and(imports: Importer, x: Flow, y: Flow, name: str) -> Flow:
    return product(imports, x, y, name)


def _or(imports: Importer, x: Flow, y: Flow, name: str) -> Flow:
    both = product(imports, x, y, f"{name}.both")
    return added(imports, added(imports, x, y, f"{name}.sum"), both, name, -1.0)


def _xor(imports: Importer, x: Flow, y: Flow, name: str) -> Flow:
    both = product(imports, x, y, f"{name}.both")
    twice = added(imports, both, both, f"{name}.twice")
    return added(imports, added(imports, x, y, f"{name}.sum"), twice, name, -1.0)


CHOICE_RULES = {
    "And": _both(_and),
    "Not": _not,
    "Or": _both(_or),
    "Where": _where,
    "Xor": _both(_xor),
}
