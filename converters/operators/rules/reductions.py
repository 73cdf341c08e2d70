"""Means, sums and extremes over axes: of pixels they are pools, of channels convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arrange import as_image
from bnas_deploy.converters.operators.rules.axes import Axes, axes_of, channel_grid
from bnas_deploy.converters.signs.binary_layers import Window, floats
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.order import Digit, of_axes

__all__ = ["REDUCTION_RULES"]


def _global_average(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    return _reduced(imports, node, flow, list(range(1, len(flow.dims))), 1)


def _reduce(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow, axes = imports.flow(inputs[0]), axes_of(node, inputs)
    if not axes and node.attributes.get("noop_with_empty_axes", 0):
        return flow
    rank = len(flow.dims) + 1
    places = sorted({axis % rank - 1 for axis in axes or (0,)})
    if places[0] < 0:
        msg = "reduces the batch"
        raise CannotConvert(msg, "state the axes, without 0")
    return _reduced(imports, node, flow, places, node.attributes.get("keepdims", 1))


def _reduced(
    imports: Importer, node: OperatorNode, flow: Flow, places: list[int], keep: int
) -> Flow:
    """Reduce the axes at `places`, counted from 0 behind the batch."""
    flow.need_bare()
    dims = [1 if i in places else n for i, n in enumerate(flow.dims)]
    dims = dims if keep else [n for i, n in enumerate(dims) if i not in places]
    if node.op != "GlobalAveragePool" and math.prod(dims) == math.prod(flow.dims):
        return replace(flow, dims=tuple(dims))
    axes, pixels = _gone(flow, places)
    if pixels is None and len(dims) < 4 and len(flow.dims) == 3:
        flow = as_image(imports, flow, node.name)
        axes, pixels = _gone(flow, places)
    if axes is None or pixels is None:
        msg = f"a mean or extreme over the axes {[i + 1 for i in places]} of (N, {list(flow.dims)})"
        raise CannotConvert(msg, "reduce whole rows, columns or channels")
    left = [[] if i in places else list(own) for i, own in enumerate(axes)]
    channels = channel_grid([own if i in places else [] for i, own in enumerate(axes)]).reshape(-1)
    size, count = pixels, flow.channels // len(channels)
    if len(channels) == 1:
        result = _over_pixels(imports, node, flow, size)
    elif node.op in ("ReduceMax", "ReduceMin"):
        msg = f"the {node.op[6:].lower()}imum of channels"
        raise CannotConvert(msg, "use a mean, or extremes of pixels")
    elif count == 1 and (source := _magnitudes(imports, flow)) is not None and size == (1, 1):
        result = _mean_magnitude(imports, node, flow, source)
    else:
        kept = channel_grid(left).reshape(-1)
        result = _over_channels(imports, node, flow, kept[:, None] + channels, size)
        left = _renumbered(left)
    return replace(result, dims=tuple(dims), order=of_axes(left, result.shape))


def _gone(flow: Flow, places: list[int]) -> tuple[Axes | None, tuple[int, int] | None]:
    """The digits of each axis, and how many rows and columns are reduced: all of them, or 1."""
    axes = flow.axes()
    gone = [digit for i in places for digit in axes[i]] if axes is not None else []
    rows, columns = (math.prod(d.extent for d in gone if d.axis == axis) for axis in (1, 2))
    fits = rows in (1, flow.shape[1]) and columns in (1, flow.shape[2])
    return axes, (rows, columns) if fits else None


def _renumbered(axes: list[list[Digit]]) -> list[list[Digit]]:
    """Digits of channels as they are once others are gone and they lie in ONNX's order."""
    step, result = 1, []
    for own in reversed(axes):
        fresh = []
        for digit in reversed(own):
            fresh.append(digit if digit.axis else digit._replace(stride=step))
            step *= 1 if digit.axis else digit.extent
        result.append(fresh[::-1])
    return result[::-1]


def _over_pixels(imports: Importer, node: OperatorNode, flow: Flow, size: tuple[int, int]) -> Flow:
    """Rows, columns or both, size[0] and size[1] of them; sums are means times their number."""
    extreme = node.op in ("ReduceMax", "ReduceMin")
    plain = floats(imports, replace(flow, dims=flow.shape, order=()), node.name)
    ones = np.ones(plain.channels)
    turn = -ones if node.op == "ReduceMin" else ones
    plain = imports.affine(plain, turn, 0 * ones, f"{node.name}.negated")
    if not extreme and size == plain.shape[1:]:
        name = imports.node("global_avg_pool", node.name, (plain.name,))
    else:
        window = {"kernel": size, "stride": (1, 1), "padding": (0, 0, 0, 0)}
        name = imports.node("max_pool" if extreme else "avg_pool", node.name, (plain.name,), window)
    factor = math.prod(size) if node.op == "ReduceSum" else 1
    return imports.affine(imports.bare(name), factor * turn, 0 * ones, f"{node.name}.back")


def _over_channels(
    imports: Importer, node: OperatorNode, flow: Flow, groups: Array, size: tuple[int, int]
) -> Flow:
    """Sums or means over groups (kept, reduced) of channels, by a convolution of equal weights."""
    plain = _over_pixels(imports, node, flow, size) if size != (1, 1) else floats(
        imports, replace(flow, dims=flow.shape, order=()), node.name
    )  # fmt: skip
    weight = np.zeros((len(groups), flow.channels, 1, 1))
    np.put_along_axis(weight[:, :, 0, 0], groups, 1.0, axis=1)
    if node.op != "ReduceSum":
        weight /= groups.shape[1]
    window = Window().attributes()
    name = imports.node("conv", f"{node.name}.sum", (plain.name,), window, {"weight": weight})
    imports.add_float_layer(node.name, node.op, name, "its mean or sum is one of channels")
    return imports.bare(name)


def _magnitudes(imports: Importer, flow: Flow) -> str | None:
    """What a value is the absolute of, if it is one."""
    return imports.magnitudes.get(flow.name) if flow.levels is None else None


def _mean_magnitude(imports: Importer, node: OperatorNode, flow: Flow, source: str) -> Flow:
    """The mean or sum over the channels of absolutes, one channel out (XNOR-Net's K)."""
    factor = 1.0 if node.op == "ReduceSum" else 1 / flow.channels
    ones = np.ones(flow.channels)
    constants = {"scale": ones, "shift": 0 * ones, "terms": np.array([factor, 0.0])}
    return imports.bare(imports.node("mean_magnitude", node.name, (source,), {}, constants))


REDUCTION_RULES = {
    "GlobalAveragePool": _global_average,
    "ReduceMax": _reduce,
    "ReduceMean": _reduce,
    "ReduceMin": _reduce,
    "ReduceSum": _reduce,
}
