"""Two values of different shapes or orders, brought together as ONNX reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnas_deploy.converters.operators.rules.arrange import as_image
from bnas_deploy.converters.operators.rules.axes import (
    channel_axes,
    channel_grid,
    seen_by,
    whole_axes,
    with_channels,
)
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["alike", "expanded"]


def expanded(
    imports: Importer,
    flow: Flow,
    dims: Sequence[int],
    order: tuple[int, int, int] | None,
    name: str,
) -> Flow:
    """Return a value repeated over channels or pixels, levels kept: the product with ones.

    Args:
        imports: The import.
        flow: Any value.
        dims: ONNX extents behind the batch.
        order: Which of C, H, W each of them is; None where they are something else.
        name: For the node.

    Raises:
        CannotConvert: It is repeated along something else, or too often.
    """
    if tuple(dims) == flow.dims:
        return flow
    flow.need_bare()
    own = None if order is None else seen_by(flow, order)
    if order is None or own is None or (own.dims, own.order) != (flow.dims, flow.order):
        msg = f"repeats (N, {list(flow.dims)}) to (N, {list(dims)})"
        raise CannotConvert(msg, "repeat channels or pixels as a whole")
    c, h, w = (dims[order.index(axis)] for axis in range(3))
    if flow.shape[1:] not in ((1, 1), (h, w)):
        msg = f"repeats rows or columns of (N, {list(flow.dims)}) alone"
        raise CannotConvert(msg, "repeat channels or pixels as a whole")
    if c * h * w > ARRAY_LIMIT:
        msg = f"expands to {c * h * w:,} elements"
        raise CannotConvert(msg, "use smaller images")
    ones = {"value": np.ones((c, h, w), np.float32)}
    whole = imports.node("constant", f"{name}.ones", (), {}, ones)
    result = imports.bare(imports.node("multiply", name, (whole, flow.name)))
    index = np.zeros(c, np.int64) if flow.channels == 1 else np.arange(c)
    levels = None if flow.levels is None else flow.levels.taken(index)
    imports.expanded[result.name] = flow
    return seen_by(replace(result, levels=levels), order)


def alike(imports: Importer, x: Flow, y: Flow, name: str) -> tuple[Flow, Flow]:
    """Return two values with the same extents and order, as far as there is a way to that."""
    if x.dims != y.dims and len(x.dims) == len(y.dims):
        dims = np.broadcast_shapes(x.dims, y.dims)
        x, y = (
            f if whole_axes(f) else _sorted(imports, f, f"{name}.{key}")
            for key, f in (("x", x), ("y", y))
        )
        x, y = (
            expanded(imports, a, dims, whole_axes(b), f"{name}.{key}")
            for key, a, b in (("x", x, y), ("y", y, x))
        )
    if x.dims == y.dims and x.order != y.order:
        x, y = (_sorted(imports, f, f"{name}.{key}") for key, f in (("x", x), ("y", y)))
    if x.dims == y.dims and x.order != y.order:
        x, y = (as_image(imports, f, f"{name}.{key}") for key, f in (("x", x), ("y", y)))
    return x, y


def _sorted(imports: Importer, flow: Flow, name: str) -> Flow:
    """A value whose channels lie in the order in which ONNX counts them."""
    axes = channel_axes(flow)
    if axes is None or any(flow.pads):
        return flow
    grid = channel_grid(axes)
    front = int(np.argmax(grid.shape))
    return with_channels(imports, flow, axes, grid, front=front, name=f"{name}.order")
