"""Operators that change how a value is seen: shapes, orders of axes, padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.known import BATCH, Varying, shape_of
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arrange import as_image, reshaped, transposed
from bnas_deploy.converters.operators.rules.axes import axes_of, seen_by, whole_axes
from bnas_deploy.converters.operators.rules.broadcast import expanded
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.limits import EXTENT_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["VIEW_RULES"]


def _identity(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    return imports.flow(inputs[0])


def _dropout(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    training = inputs[2] if len(inputs) > 2 else None
    if training is not None and np.asarray(imports.constant(training, "its mode")).any():
        msg = "drops values (training mode)"
        raise CannotConvert(msg, "export in evaluation mode")
    return imports.flow(inputs[0])


def _flatten(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    axis = int(node.attributes.get("axis", 1))
    if axis != 1 and axis != -len(flow.dims):
        msg = f"flattens from axis {axis}"
        raise CannotConvert(msg, "flatten from axis 1")
    return reshaped(imports, flow, (math.prod(flow.dims),), node.name)


def _reshape(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    wanted = [int(n) for n in imports.constant(inputs[1], "its shape").reshape(-1)]
    have = [BATCH, *flow.dims]
    if not node.attributes.get("allowzero", 0):
        wanted = [have[i] if n == 0 and i < len(have) else n for i, n in enumerate(wanted)]
    if not wanted or not _keeps_batch(wanted, flow, imports.batch):
        msg = f"reshapes across the batch, to {inputs[1].tolist()}"
        raise CannotConvert(msg, "keep the batch")
    dims, total = wanted[1:], math.prod(flow.dims)
    if dims.count(-1) == 1:
        known = math.prod(n for n in dims if n != -1)
        dims = [total // known if n == -1 and known else n for n in dims]
    return reshaped(imports, flow, dims, node.name)


def _keeps_batch(wanted: list[int], flow: Flow, batch: int | None) -> bool:
    """Whether the first extent is the batch; a -1 is, where the others use up all elements."""
    rest = wanted[1:]
    if wanted[0] == -1:
        return -1 not in rest and math.prod(rest) == math.prod(flow.dims)
    return wanted[0] == BATCH or (batch is not None and wanted[0] == batch)


def _squeeze(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow, axes = imports.flow(inputs[0]), axes_of(node, inputs)
    rank = len(flow.dims) + 1
    if axes is None or any(a % rank == 0 for a in axes):
        msg = "may squeeze the batch away"
        raise CannotConvert(msg, "state the axes, without 0")
    gone = {a % rank for a in axes}
    if any(flow.dims[a - 1] != 1 for a in gone):
        msg = f"squeezes extents that are not 1, of {list(flow.dims)}"
        raise CannotConvert(msg, "check it")
    dims = [n for i, n in enumerate(flow.dims, 1) if i not in gone]
    return reshaped(imports, flow, dims, node.name)


def _unsqueeze(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow, axes = imports.flow(inputs[0]), axes_of(node, inputs) or ()
    rank = len(flow.dims) + 1 + len(axes)
    added = {a % rank for a in axes}
    rest = iter(flow.dims)
    if 0 in added:
        msg = "puts an axis before the batch"
        raise CannotConvert(msg, "keep the batch first")
    dims = [1 if i in added else next(rest) for i in range(1, rank)]
    return reshaped(imports, flow, dims, node.name)


def _transpose(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    perm = node.attributes.get("perm", range(len(flow.dims), -1, -1))
    return transposed(flow, [int(p) for p in perm])


def _space_to_depth(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow, size = imports.flow(inputs[0]), int(node.attributes["blocksize"])
    c, h, w = flow.dims
    parts = reshaped(imports, flow, (c, h // size, size, w // size, size), node.name)
    arranged = transposed(parts, (0, 3, 5, 1, 2, 4))
    return reshaped(imports, arranged, (c * size**2, h // size, w // size), node.name)


def _depth_to_space(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow, size = imports.flow(inputs[0]), int(node.attributes["blocksize"])
    c, h, w = flow.dims
    rest = c // size**2
    if node.attributes.get("mode", "DCR") == "CRD":
        dims, perm = (rest, size, size, h, w), (0, 1, 4, 2, 5, 3)
    else:
        dims, perm = (size, size, rest, h, w), (0, 3, 4, 1, 5, 2)
    arranged = transposed(reshaped(imports, flow, dims, node.name), perm)
    return reshaped(imports, arranged, (rest, h * size, w * size), node.name)


def _shape(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Array | Varying:
    whole = shape_of(imports.flow(inputs[0]).dims, imports.batch)
    part = slice(node.attributes.get("start", 0), node.attributes.get("end"))
    return whole[part] if isinstance(whole, np.ndarray) else whole.mapped(lambda x: x[part])


def _size(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Array | Varying:
    whole = shape_of(imports.flow(inputs[0]).dims, imports.batch)
    return np.asarray(np.prod(whole)) if isinstance(whole, np.ndarray) else whole.mapped(np.prod)


def _expand(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    """A value repeated over channels or pixels: the product with ones."""
    flow = imports.flow(inputs[0])
    wanted = [int(n) for n in imports.constant(inputs[1], "its shape").reshape(-1)]
    rank = len(flow.dims) + 1
    wanted = [1] * (rank - len(wanted)) + wanted
    if len(wanted) > rank or wanted[0] not in (1, BATCH, imports.batch) or min(wanted[1:]) < 1:
        msg = f"expands (N, {list(flow.dims)}) to {wanted}"
        raise CannotConvert(msg, "keep the batch and the number of axes")
    dims = np.broadcast_shapes(flow.dims, tuple(wanted[1:]))
    return expanded(imports, flow, dims, whole_axes(flow), node.name)


def _pad(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    order = whole_axes(flow)
    if order is None:
        flow, order = as_image(imports, flow, node.name), (0, 1, 2)
    if node.attributes.get("mode", "constant") != "constant":
        msg = f"pads by {node.attributes['mode']!r}"
        raise CannotConvert(msg, "pad with a constant")
    pads = _pads(imports, inputs, node)
    given = inputs[2] if len(inputs) > 2 else None
    value = 0.0 if given is None else float(imports.constant(given, "its value").reshape(()))
    places = [0] + [1 + order.index(axis) for axis in range(3)]
    pads = [pads[place + end] for end in (0, 4) for place in places]
    flow = seen_by(flow, (0, 1, 2))
    if any(pads[i] for i in (0, 4)) or min(pads) < 0 or max(pads) > EXTENT_LIMIT:
        msg = f"pads by {pads}"
        raise CannotConvert(msg, "pad channels, height and width, by 0 or more")
    if pads[1] or pads[5]:
        flow = _more_channels(imports, flow, pads[1], pads[5], value, node.name)
    border = (pads[2], pads[3], pads[6], pads[7])
    if not any(border):
        return seen_by(flow, order)
    fill = np.full(flow.channels, value)
    if flow.fill is not None and not np.array_equal(flow.fill, fill):
        msg = "pads again, with another number"
        raise CannotConvert(msg, "pad once")
    top, left, bottom, right = (a + b for a, b in zip(flow.pads, border, strict=True))
    wider = replace(flow, pads=(top, left, bottom, right), fill=fill)
    return seen_by(wider, order)


def _pads(imports: Importer, inputs: Sequence[Any], node: OperatorNode) -> list[int]:
    pads = [int(p) for p in imports.constant(inputs[1], "its pads").reshape(-1)]
    axes = axes_of(node, inputs, 3)
    if axes is not None:
        whole = [0] * 8
        for place, axis in enumerate(axes):
            whole[axis % 4], whole[4 + axis % 4] = pads[place], pads[place + len(axes)]
        pads = whole
    if len(pads) != 8:
        msg = f"pads by {pads}"
        raise CannotConvert(msg, "two numbers for each of four axes are understood")
    return pads


def _more_channels(
    imports: Importer, flow: Flow, before: int, after: int, value: float, name: str
) -> Flow:
    if value:
        msg = "pads channels with a number"
        raise CannotConvert(msg, "pad channels with 0")
    none = np.full(before, -1), np.full(after, -1)
    return imports.select(flow, np.concatenate([none[0], np.arange(flow.channels), none[1]]), name)


VIEW_RULES = {
    "DepthToSpace": _depth_to_space,
    "Dropout": _dropout,
    "Expand": _expand,
    "Flatten": _flatten,
    "Identity": _identity,
    "Pad": _pad,
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": _size,
    "SpaceToDepth": _space_to_depth,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
