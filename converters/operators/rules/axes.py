"""Which axis of ONNX counts channels and which pixels, and channels picked along one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.order import Digit, of_axes

__all__ = [
    "Axes",
    "axes_of",
    "channel_axes",
    "channel_grid",
    "grouped",
    "seen_by",
    "whole_axes",
    "with_channels",
]

Axes = Sequence[Sequence[Digit]]


def axes_of(node: OperatorNode, inputs: Sequence[Any], place: int = 1) -> tuple[int, ...] | None:
    """The axes of a node, an attribute in old opsets and an input in new ones."""
    if "axes" in node.attributes:
        return tuple(int(a) for a in node.attributes["axes"])
    given = inputs[place] if len(inputs) > place else None
    if given is None:
        return None
    if not isinstance(given, np.ndarray):
        msg = "its axes are computed from the image"
        raise CannotConvert(msg, "make them constant")
    return tuple(int(a) for a in given.reshape(-1))


_PERMUTATIONS = ((0, 1, 2), (1, 2, 0), (0, 2, 1), (1, 0, 2), (2, 0, 1), (2, 1, 0))


def whole_axes(flow: Flow) -> tuple[int, int, int] | None:
    """Which of C, H, W (0, 1, 2) each ONNX axis is, if each is one of them and whole."""
    for axes in _PERMUTATIONS:
        like = seen_by(flow, axes)
        if (flow.dims, flow.order) == (like.dims, like.order):
            return axes
    return None


def seen_by(flow: Flow, axes: tuple[int, int, int]) -> Flow:
    """Return the whole value as ONNX sees it with C, H, W (0, 1, 2) in that order."""
    shape = flow.padded_shape
    order = of_axes(([Digit(axis, 1, shape[axis])] for axis in axes), shape)
    return replace(flow, dims=tuple(shape[axis] for axis in axes), order=order)


def channel_axes(flow: Flow) -> Axes | None:
    """The digits of each ONNX axis; None where channels do not stand together in one of them."""
    axes = flow.axes()
    for own in axes or ():
        kinds = "".join("c" if digit.axis == 0 else "p" for digit in own)
        if "c" in kinds.strip("p") and "p" in kinds.strip("p"):
            return None
    return axes


def channel_grid(axes: Axes) -> Array:
    """Numbers of the channels, an axis for each of ONNX's, of extent 1 where it counts none."""
    grid = np.zeros((), np.int64)
    for own in axes:
        numbers = np.zeros(1, np.int64)
        for digit in own:
            if digit.axis == 0:
                numbers = numbers[:, None] + np.arange(digit.extent) * digit.stride
                numbers = numbers.reshape(-1)
        grid = grid[..., None] + numbers
    return grid


def with_channels(
    imports: Importer, flow: Flow, axes: Axes, grid: Array, *, front: int, name: str
) -> Flow:
    """Return a value of other channels, seen with the same axes.

    Args:
        imports: The import.
        flow: Any value.
        axes: Its `channel_axes`.
        grid: Numbers of the channels that are wanted, as of `channel_grid`.
        front: The axis that shall be the outermost of the graph value's channels.
        name: For the node.
    """
    index = np.moveaxis(grid, front, 0).reshape(-1)
    image = imports.select(replace(flow, dims=flow.padded_shape, order=()), index, name)
    return grouped(image, axes, grid.shape, front)


def grouped(image: Flow, axes: Axes, extents: Sequence[int], front: int) -> Flow:
    """See an image whose channels are a grid, with `front` outermost, by axes of ONNX."""
    strides = dict.fromkeys(range(len(axes)), 0)
    step = 1
    for place in [*(i for i in reversed(range(len(axes))) if i != front), front]:
        strides[place] = step
        step *= extents[place]
    whole = [_replaced(own, strides[i], extents[i]) for i, own in enumerate(axes)]
    dims = tuple(math.prod(digit.extent for digit in own) for own in whole)
    return replace(image, dims=dims, order=of_axes(whole, image.padded_shape))


def _replaced(own: Sequence[Digit], stride: int, extent: int) -> list[Digit]:
    """The digits of an axis with those of channels replaced by one."""
    places = [i for i, digit in enumerate(own) if digit.axis == 0]
    at = places[0] if places else 0
    pixels = [digit for digit in own if digit.axis]
    return [*pixels[:at], Digit(0, stride, extent), *pixels[at:]]
