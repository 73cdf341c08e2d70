"""Concat: along channels wherever ONNX has them, and along rows or columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arrange import taken_by_ones
from bnas_deploy.converters.operators.rules.axes import (
    Axes,
    channel_axes,
    channel_grid,
    grouped,
    seen_by,
    whole_axes,
    with_channels,
)
from bnas_deploy.converters.signs.binary_layers import floats
from bnas_deploy.converters.signs.flow import Flow, Levels
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["JOIN_RULES"]


def _concat(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    first = next(x for x in inputs if isinstance(x, Flow))
    axis = int(node.attributes["axis"]) % (len(first.dims) + 1) - 1
    if axis < 0:
        msg = "joins along the batch"
        raise CannotConvert(msg, "join channels, rows or columns")
    flows = [x if isinstance(x, Flow) else _still(imports, x, first, axis, node) for x in inputs]
    for flow in flows:
        flow.need_bare()
    rest = {(*flow.dims[:axis], 0, *flow.dims[axis + 1 :]) for flow in flows}
    if len(rest) > 1:
        msg = f"joins values of shapes {[list(flow.dims) for flow in flows]}"
        raise CannotConvert(msg, "make them equal")
    if len(flows) == 1:
        return flows[0]
    axes = [channel_axes(flow) for flow in flows]
    if all(own is not None and all(d.axis == 0 for d in own[axis]) for own in axes):
        return _channels(imports, flows, [own for own in axes if own], axis, node)
    whole = {whole_axes(flow) for flow in flows}
    order = whole.pop()
    if whole or order is None:
        msg = f"joins along axis {node.attributes['axis']}"
        raise CannotConvert(msg, "join channels, or rows or columns of images")
    images = [seen_by(flow, (0, 1, 2)) for flow in flows]
    return seen_by(_pixels(imports, images, order[axis], node), order)


def _still(imports: Importer, constant: Array, like: Flow, axis: int, node: OperatorNode) -> Flow:
    """A constant that is the same for every image, as a value beside another one."""
    whole = whole_axes(like)
    known = constant.ndim == len(like.dims) + 1 and constant.shape[0] == 1
    if whole is None or not known or constant.size > ARRAY_LIMIT:
        msg = f"joins a constant of shape {list(constant.shape)} to (N, {list(like.dims)})"
        raise CannotConvert(msg, "join computed values")
    image = np.ascontiguousarray(constant[0].transpose(np.argsort(whole)), np.float32)
    name = f"{node.name}.still"
    if (image == image[:, :1, :1]).all():  # which passes fold away
        zero = imports.bare(imports.node("zero", name, (), {"shape": image.shape}))
        shift = image[:, 0, 0].astype(np.float64)
        return seen_by(imports.affine(zero, np.ones_like(shift), shift, name), whole)
    return seen_by(imports.bare(imports.node("constant", name, (), {}, {"value": image})), whole)


def _channels(
    imports: Importer, flows: Sequence[Flow], axes: Sequence[Axes], axis: int, node: OperatorNode
) -> Flow:
    """Channels behind each other: the joined axis is the outermost of every value."""
    grids = [channel_grid(own) for own in axes]
    parts = [
        with_channels(imports, flow, own, grid, front=axis, name=f"{node.name}.sorted")
        for flow, own, grid in zip(flows, axes, grids, strict=True)
    ]
    own = [channel_axes(part) or () for part in parts]
    others = {str([digits for i, digits in enumerate(x) if i != axis]) for x in own}
    if len(others) > 1 or len({part.shape[1:] for part in parts}) > 1:
        msg = "joins values whose axes are in different orders"
        raise CannotConvert(msg, "bring them into one order")
    extents = list(grids[0].shape)
    extents[axis] = sum(grid.shape[axis] for grid in grids)
    return grouped(_joined(imports, parts, node.name), own[0], extents, axis)


def _joined(imports: Importer, flows: Sequence[Flow], name: str) -> Flow:
    levels = [flow.levels for flow in flows if flow.levels is not None]
    joined = None
    if len(levels) == len(flows):
        kinds = ([getattr(x, kind) for x in levels] for kind in ("low", "mid", "high"))
        joined = Levels(*(np.concatenate(arrays) for arrays in kinds))
    else:
        flows = [floats(imports, flow, name) for flow in flows]
    value = imports.node("concat", name, [flow.name for flow in flows])
    return replace(imports.bare(value), levels=joined)


def _pixels(imports: Importer, flows: Sequence[Flow], axis: int, node: OperatorNode) -> Flow:
    """Images beside each other: each among zeros where the others will be, and the sum."""
    levels = flows[0].levels
    if levels is None or not all(_same(flow.levels, levels) for flow in flows):
        levels, flows = None, [floats(imports, flow, node.name) for flow in flows]
    channels, total, before = flows[0].channels, sum(flow.shape[axis] for flow in flows), 0
    ones, result = np.ones((channels, 1, 1, 1)), ""
    for place, flow in enumerate(flows):
        after = total - before - flow.shape[axis]
        pads = (before, 0, after, 0) if axis == 1 else (0, before, 0, after)
        plain = replace(flow, levels=None)
        name = f"{node.name}.{place}"
        wide = taken_by_ones(imports, plain, ones, (1, 1), name, padding=pads).name
        result = imports.node("add", f"{name}.sum", (result, wide)) if result else wide
        before += flow.shape[axis]
    return replace(imports.bare(result), levels=levels)


def _same(a: Levels | None, b: Levels) -> bool:
    pairs = ((a.low, b.low), (a.mid, b.mid), (a.high, b.high)) if a is not None else ()
    return a is not None and all(np.array_equal(x, y) for x, y in pairs)


JOIN_RULES = {"Concat": _concat}
