"""Operators that take parts of a value: channels, and every n-th row or column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.from_onnx.read import OnnxNode
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["PART_RULES"]


def _slice(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    flow.need_image()
    flow.need_bare()
    what = ("starts", "ends", "axes", "steps")
    given = [
        None if x is None else imports.constant(x, f"its {n}").reshape(-1)
        for x, n in zip([*inputs, None, None][1:5], what, strict=True)
    ]
    starts, ends, axes, steps = given
    assert starts is not None
    assert ends is not None
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = place if axes is None else int(axes[place]) % 4
        step = 1 if steps is None else int(steps[place])
        flow = _sliced(imports, flow, axis, slice(int(start), int(end), step), node.name)
    return flow


def _sliced(imports: Importer, flow: Flow, axis: int, part: slice, name: str) -> Flow:
    extent = 1 if axis == 0 else flow.shape[axis - 1]
    taken = np.arange(extent)[part]
    whole = np.arange(extent)
    if np.array_equal(taken, whole) and axis:
        return flow
    if axis == 1 and len(taken):
        return imports.select(flow, taken, name)
    if axis >= 2 and part.step > 0 and np.array_equal(taken, whole[:: part.step]):
        stride = (part.step, 1) if axis == 2 else (1, part.step)
        attributes = {"kernel": (1, 1), "stride": stride, "padding": (0, 0, 0, 0)}
        result = imports.bare(imports.node("max_pool", name, (flow.name,), attributes))
        return replace(result, levels=flow.levels)
    msg = "cuts a part out of the image or batch"
    raise CannotConvert(msg, "take channels, or every n-th row")


def _split(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> list[Flow]:
    flow = imports.flow(inputs[0])
    flow.need_bare()
    if int(node.attributes.get("axis", 0)) % (len(flow.dims) + 1) != 1 or not flow.image:
        msg = "splits something else than channels"
        raise CannotConvert(msg, "split along axis 1")
    count = len(node.outputs)
    sizes = [-(-flow.channels // count)] * (count - 1)
    sizes.append(flow.channels - sum(sizes))
    if "split" in node.attributes:
        sizes = [int(n) for n in node.attributes["split"]]
    elif len(inputs) > 1 and inputs[1] is not None:
        sizes = [int(n) for n in imports.constant(inputs[1], "its sizes").reshape(-1)]
    if len(sizes) != count or sum(sizes) != flow.channels or min(sizes) < 1:
        msg = f"splits {flow.channels} channels into {sizes}"
        raise CannotConvert(msg, "check the model")
    ends = np.cumsum(sizes)
    return [
        imports.select(flow, np.arange(end - size, end), f"{node.name}.{i}")
        for i, (size, end) in enumerate(zip(sizes, ends, strict=True))
    ]


def _gather(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    flow.need_bare()
    index = imports.constant(inputs[1], "its indices")
    axis = int(node.attributes.get("axis", 0)) % (len(flow.dims) + 1)
    if axis != 1 or not flow.image or index.ndim != 1 or not index.size:
        msg = "gathers something else than channels"
        raise CannotConvert(msg, "gather along axis 1")
    index = np.where(index < 0, index + flow.channels, index).astype(np.int64)
    if index.min() < 0 or index.max() >= flow.channels:
        msg = "its indices lie outside the channels"
        raise CannotConvert(msg, "check the model")
    return imports.select(flow, index, node.name)


PART_RULES = {"Gather": _gather, "Slice": _slice, "Split": _split}
