"""How the elements of an ONNX value lie in the graph's value: a stride and an extent an axis.

An `Order` lists (stride, extent) from the outermost axis that ONNX sees to the innermost, in
elements of the graph's (C, H, W); neighbours that follow each other without a gap are one pair, so
that equal orders are equal tuples. The empty order is that of the graph's value itself. Transposes
permute pairs, reshapes leave them as they are: (N, C, H, W), (N, H, W, C), flattened and shuffled
values are all the same to what only looks at elements.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bnas_deploy.converters.graph.nodes import Array

__all__ = [
    "Digit",
    "Order",
    "arranged",
    "channels_last",
    "digits",
    "elements",
    "merged",
    "of_axes",
    "split",
]

Order = tuple[tuple[int, int], ...]


class Digit(NamedTuple):
    """A part of an axis of the graph's value, as it is counted by one axis of ONNX.

    Attributes:
        axis: 0, 1 or 2 for C, H, W.
        stride: How far one step goes along that axis.
        extent: How many steps there are, 2 or more.
    """

    axis: int
    stride: int
    extent: int


def channels_last(shape: tuple[int, int, int]) -> Order:
    """The order of (N, H, W, C) for a graph value (C, H, W)."""
    c, h, w = shape
    return merged([(1, h * w), (h * w, c)], shape)


def merged(pairs: Iterable[tuple[int, int]], shape: Sequence[int]) -> Order:
    """Return the order of some pairs; empty where it is that of the graph's value."""
    found: list[tuple[int, int]] = []
    for stride, extent in pairs:
        if extent == 1:
            continue
        if found and found[-1][0] == stride * extent:
            found[-1] = (stride, found[-1][1] * extent)
        else:
            found.append((stride, extent))
    return () if found in ([], [(1, math.prod(shape))]) else tuple(found)


def split(order: Order, dims: Sequence[int]) -> list[Order] | None:
    """Return the pairs of each ONNX axis; None where an axis ends within a pair, unevenly.

    Args:
        order: Not empty, unless there is one element.
        dims: ONNX extents of the same elements.
    """
    waiting, axes = list(order[::-1]), []
    for extent in dims:
        own: list[tuple[int, int]] = []
        left = extent
        while left > 1:
            if not waiting:
                return None
            stride, length = waiting.pop()
            part = math.gcd(left, length)
            if part not in (left, length):
                return None
            if part < length:
                waiting.append((stride, length // part))
            own.append((stride * (length // part), part))
            left //= part
        axes.append(tuple(own))
    return axes


def digits(pairs: Order, shape: tuple[int, int, int]) -> list[Digit] | None:
    """Return pairs as parts of the axes of the graph's value; None where one crosses unevenly."""
    _, h, w = shape
    units = (h * w, w, 1)
    found: list[Digit] = []
    for pair in pairs:
        own: list[Digit] = []
        stride, extent = pair
        for axis in (2, 1, 0):  # from the innermost
            unit, limit = units[axis], units[axis] * shape[axis]
            if extent == 1 or stride >= limit:
                continue
            step = stride // unit
            if step * unit != stride or shape[axis] % step:
                return None
            part = math.gcd(extent, shape[axis] // step)
            if part not in (extent, shape[axis] // step):
                return None
            own.append(Digit(axis, step, part))
            stride, extent = stride * part, extent // part
        found += own[::-1]
    return found


def of_axes(axes: Iterable[Sequence[Digit]], shape: tuple[int, int, int]) -> Order:
    """Return the order of ONNX axes that are given as digits of a graph value (C, H, W)."""
    _, h, w = shape
    units = (h * w, w, 1)
    return merged(((units[d.axis] * d.stride, d.extent) for own in axes for d in own), shape)


def elements(array: Array, order: Order, shape: tuple[int, int, int]) -> Array:
    """Return an array of ONNX's elements, the last (C * H * W) of any shape, as (..., C, H, W).

    Args:
        array: (..., elements).
        order: Of the value.
        shape: Of the graph's value.
    """
    front = array.shape[:-1]
    if not order:
        return array.reshape(*front, *shape)
    places = np.argsort([-stride for stride, _ in order])
    lead = len(front)
    spread = array.reshape(*front, *(extent for _, extent in order))
    moved = spread.transpose(*range(lead), *(lead + int(p) for p in places))
    return moved.reshape(*front, *shape)


def arranged(image: Array, order: Order) -> Array:
    """Return (C, H, W) as ONNX counts its elements, flat: what `elements` turns back."""
    if not order:
        return image.reshape(-1)
    places = np.argsort([-stride for stride, _ in order])
    moved = image.reshape([order[place][1] for place in places])
    return moved.transpose(np.argsort(places)).reshape(-1)
