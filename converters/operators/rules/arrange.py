"""Values whose axes or channels changed places, as (N, C, H, W) again; no operator of its own.

What ONNX shuffles is followed as an `Order` for as long as nobody looks. Where a layer needs an
image, channels are selected, and pixels that went into channels (space to depth) are taken by a
convolution whose weights are a single 1 each: exact, as the others add zeros.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.rules.axes import (
    Axes,
    channel_axes,
    channel_grid,
    whole_axes,
    with_channels,
)
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.limits import WEIGHT_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.order import Digit, merged, split

__all__ = ["as_image", "in_order", "repeats", "reshaped", "taken_by_ones", "transposed"]


def reshaped(imports: Importer, flow: Flow, dims: Sequence[int], name: str) -> Flow:
    """Return the same elements with other extents behind the batch.

    Raises:
        CannotConvert: They are not as many, or something was padded.
    """
    flow.need_bare()
    if flow.order and split(flow.order, dims) is None:
        flow = in_order(imports, flow, name)
    if math.prod(dims) != math.prod(flow.dims):
        msg = f"reshapes (N, {list(flow.dims)}) to (N, {list(dims)})"
        raise CannotConvert(msg, "check the model")
    return replace(flow, dims=tuple(dims))


def transposed(flow: Flow, perm: Sequence[int]) -> Flow:
    """Return a value whose axes change places.

    Args:
        flow: Any value.
        perm: As ONNX gives it, the batch among it.

    Raises:
        CannotConvert: The batch would move, or axes were cut unevenly.
    """
    fits = sorted(perm) == list(range(len(flow.dims) + 1)) and perm[0] == 0
    axes = split(flow.order or ((1, math.prod(flow.dims)),), flow.dims) if fits else None
    if axes is None:
        msg = f"transposes (N, {list(flow.dims)}) to the order {list(perm)}"
        raise CannotConvert(msg, "keep the batch first, and reshape by whole axes")
    order = merged((pair for p in perm[1:] for pair in axes[p - 1]), flow.padded_shape)
    return replace(flow, dims=tuple(flow.dims[p - 1] for p in perm[1:]), order=order)


def in_order(imports: Importer, flow: Flow, name: str) -> Flow:
    """Return a value whose channels lie as ONNX counts them, the pixels too if it is an image."""
    if len(flow.dims) == 3 and (whole := whole_axes(flow)) != (0, 1, 2):
        return flow if whole else as_image(imports, flow, name)
    axes = channel_axes(flow)
    if axes is None:
        return flow
    grid = channel_grid(axes)
    return with_channels(imports, flow, axes, grid, front=0, name=f"{name}.order")


def as_image(imports: Importer, flow: Flow, name: str) -> Flow:
    """Return a value that ONNX sees as (N, C, H, W) in some order, with those channels.

    Raises:
        CannotConvert: Pixels would have to change places with each other.
    """
    if flow.image:
        return flow
    if len(flow.dims) == 1 and not any(flow.pads):
        flow = replace(flow, dims=(*flow.dims, 1, 1))
    axes = flow.axes() if len(flow.dims) == 3 and not any(flow.pads) else None
    index = None
    if axes is not None and (steps := _steps(axes, flow.shape)) is not None:
        flow, index = _pixels_to_channels(imports, flow, steps, axes[0], name)
    if index is None:
        flow.need_image()
    assert index is not None
    return imports.select(replace(flow, dims=flow.shape, order=()), index, f"{name}.order")


def _steps(axes: Axes, shape: tuple[int, int, int]) -> tuple[int, int] | None:
    """How many rows and columns become channels; None where the pixels are not in order."""
    steps = []
    for axis in (1, 2):
        if any(d.axis != axis for d in axes[axis]) or len(axes[axis]) > 1:
            return None
        steps.append(axes[axis][0].stride if axes[axis] else shape[axis])
        if axes[axis] and axes[axis][0].stride * axes[axis][0].extent != shape[axis]:
            return None
    return steps[0], steps[1]


def _pixels_to_channels(
    imports: Importer, flow: Flow, steps: tuple[int, int], own: Sequence[Digit], name: str
) -> tuple[Flow, Array]:
    """Every steps[0]-th row and steps[1]-th column; and the order (C,) of its channels."""
    c, area = flow.channels, steps[0] * steps[1]
    units = (area, steps[1], 1)
    index = np.zeros((1,) * len(own), np.int64)
    for place, digit in enumerate(own):
        column = [1] * len(own)
        column[place] = digit.extent
        index = index + np.arange(digit.extent).reshape(column) * digit.stride * units[digit.axis]
    if area > 1:
        weight = np.tile(np.eye(area).reshape(area, 1, *steps), (c, 1, 1, 1))
        flow = taken_by_ones(imports, flow, weight, steps, f"{name}.pixels")
    return flow, index.reshape(-1)


def taken_by_ones(
    imports: Importer,
    flow: Flow,
    weight: Array,
    stride: tuple[int, int],
    name: str,
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Flow:
    """Return the pixels that weights (C * n, 1, kh, kw) with a single 1 each take, levels kept.

    Raises:
        CannotConvert: The weights are too many.
    """
    if weight.size > WEIGHT_LIMIT:
        msg = f"moves pixels about by {weight.size:,} weights"
        raise CannotConvert(msg, "use smaller images")
    levels = flow.levels
    if levels is not None:
        levels = levels.taken(np.repeat(np.arange(flow.channels), len(weight) // flow.channels))
    attributes = {
        "stride": stride, "padding": padding, "dilation": (1, 1), "activation": "none",
    }  # fmt: skip
    value = imports.node("conv", name, (flow.name,), attributes, {"weight": weight})
    return replace(imports.bare(value), levels=levels)


def repeats(x: Flow, factor: Flow) -> bool:
    """Whether ONNX repeats a factor over the channels or pixels of x, and over nothing else."""
    mine, own = x.axes(), factor.axes()
    if mine is None or own is None or len(mine) != len(own):
        return (x.dims, x.shape, x.order) == (factor.dims, factor.shape, factor.order)
    alike = all(n == 1 or a == b for n, a, b in zip(factor.dims, mine, own, strict=True))
    (c, *size), whole = factor.shape, [*x.shape[1:]]
    fits = c in (1, x.channels) and size in ([1, 1], whole)
    return alike and fits and math.prod(factor.dims) == math.prod(factor.shape)
