"""Operators that take parts of a value, along any axis of channels, rows or columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arrange import taken_by_ones
from bnas_deploy.converters.operators.rules.axes import (
    channel_axes,
    channel_grid,
    seen_by,
    whole_axes,
    with_channels,
)
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.levels import on_levels
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["PART_RULES", "taken"]

FAR = 2**31 - 2
"""An end from here on means the end of the axis."""


def taken(imports: Importer, flow: Flow, axis: int, index: Array, name: str) -> Flow:
    """Return the places `index` of an axis, counted from 0 behind the batch.

    Raises:
        CannotConvert: They are not channels, nor rows or columns at even distances.
    """
    extent = flow.dims[axis]
    if not index.size or index.min() < 0 or index.max() >= extent:
        msg = f"takes places {index.tolist()[:8]} of {extent}"
        raise CannotConvert(msg, "check the model")
    if np.array_equal(index, np.arange(extent)):
        return flow
    axes = channel_axes(flow)
    if axes is not None and all(digit.axis == 0 for digit in axes[axis]):
        grid = np.take(channel_grid(axes), index, axis)
        return with_channels(imports, flow, axes, grid, front=axis, name=name)
    whole = whole_axes(flow)
    steps = np.diff(index)
    if whole is None or (steps != steps[:1]).any() or (steps < 1).any():
        msg = "cuts a part out of the image"
        raise CannotConvert(msg, "take channels, or rows and columns at even distances")
    flow.need_bare()
    step = int(steps[0]) if len(steps) else 1
    image = seen_by(flow, (0, 1, 2))
    return seen_by(_pixels(imports, image, whole[axis], index, step, name), whole)


def _pixels(imports: Importer, flow: Flow, axis: int, index: Array, step: int, name: str) -> Flow:
    """Rows (axis 1) or columns (2) of an image, each `step` behind the one before."""
    extent = flow.shape[axis]
    if index[0] == 0 and len(index) == -(-extent // step):
        stride = (step, 1) if axis == 1 else (1, step)
        attributes = {"kernel": (1, 1), "stride": stride, "padding": (0, 0, 0, 0)}
        result = imports.bare(imports.node("max_pool", name, (flow.name,), attributes))
        return replace(result, levels=flow.levels)
    # A kernel so long that just these places fit, with its 1 at the first of them.
    kernel = np.zeros(extent - (len(index) - 1) * step)
    kernel[int(index[0])] = 1
    weight = np.tile(kernel, (flow.channels, 1, 1, 1))
    weight = weight.transpose(0, 1, 3, 2) if axis == 1 else weight
    return taken_by_ones(imports, flow, weight, (step, 1) if axis == 1 else (1, step), name)


def _slice(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    for axis, part in _slices(imports, node, inputs):
        if axis % (len(flow.dims) + 1) == 0:
            if part.start or part.stop < (imports.batch or FAR) or part.step != 1:
                msg = "cuts a part out of the batch"
                raise CannotConvert(msg, "keep the batch")
            continue
        place = axis % (len(flow.dims) + 1) - 1
        index = np.arange(flow.dims[place])[part]
        flow = taken(imports, flow, place, index, node.name)
    return flow


def _slices(
    imports: Importer, node: OperatorNode, inputs: Sequence[Any]
) -> list[tuple[int, slice]]:
    what = ("starts", "ends", "axes", "steps")
    given: list[list[int] | None]
    if "starts" in node.attributes:  # opsets before 10
        given = [node.attributes.get(n) for n in what]
    else:
        given = [
            None if x is None else [int(n) for n in imports.constant(x, f"its {n}").reshape(-1)]
            for x, n in zip([*inputs, None, None][1:5], what, strict=True)
        ]
    starts, ends, axes, steps = given
    assert starts is not None
    assert ends is not None
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    rows = zip(starts, ends, axes, steps, strict=True)
    return [(axis, slice(start, end, step)) for start, end, axis, step in rows]


def _place(node: OperatorNode, flow: Flow, what: str) -> int:
    """The node's axis, counted from 0 behind the batch."""
    axis = int(node.attributes.get("axis", 0)) % (len(flow.dims) + 1)
    if axis == 0:
        msg = f"{what} the batch"
        raise CannotConvert(msg, "keep the batch")
    return axis - 1


def _split(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> list[Flow]:
    flow = imports.flow(inputs[0])
    axis = _place(node, flow, "splits")
    extent, count = flow.dims[axis], len(node.outputs)
    sizes = [-(-extent // count)] * (count - 1)
    sizes.append(extent - sum(sizes))
    if "split" in node.attributes:
        sizes = [int(n) for n in node.attributes["split"]]
    elif len(inputs) > 1 and inputs[1] is not None:
        sizes = [int(n) for n in imports.constant(inputs[1], "its sizes").reshape(-1)]
    if len(sizes) != count or sum(sizes) != extent or min(sizes) < 1:
        msg = f"splits {extent} into {sizes}"
        raise CannotConvert(msg, "check the model")
    ends = np.cumsum(sizes)
    return [
        taken(imports, flow, axis, np.arange(end - size, end), f"{node.name}.{i}")
        for i, (size, end) in enumerate(zip(sizes, ends, strict=True))
    ]


def _gather(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    if isinstance(inputs[0], np.ndarray) and isinstance(inputs[1], Flow):
        return _looked_up(node, inputs[0], inputs[1])
    flow = imports.flow(inputs[0])
    index = imports.constant(inputs[1], "its indices").astype(np.int64)
    axis = _place(node, flow, "gathers from")
    if index.ndim > 1:
        msg = f"gathers by indices of {index.ndim} dimensions"
        raise CannotConvert(msg, "use a list of indices")
    index = np.where(index < 0, index + flow.dims[axis], index)
    result = taken(imports, flow, axis, index.reshape(-1), node.name)
    if index.ndim:
        return result
    return replace(result, dims=result.dims[:axis] + result.dims[axis + 1 :])


def _looked_up(node: OperatorNode, table: Array, place: Flow) -> Flow:
    """A list of numbers, of which a condition takes one."""
    if table.ndim != 1 or place.levels is None:
        msg = "looks up numbers by computed places"
        raise CannotConvert(msg, "take one of a list of numbers, by a condition")
    return on_levels(place, lambda x: table[x.astype(np.int64)])


def _gather_by_lists(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    """GatherND of a list of numbers: each index is a list of one number."""
    table, place = inputs
    if not isinstance(table, np.ndarray) or place.dims[-1] != 1:
        msg = "gathers by lists of places"
        raise CannotConvert(msg, "use Gather")
    return _looked_up(node, table, replace(place, dims=place.dims[:-1]))


PART_RULES = {"Gather": _gather, "GatherND": _gather_by_lists, "Slice": _slice, "Split": _split}
