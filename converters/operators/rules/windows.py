"""Padding of convolutions and pools, explicit and automatic, and the pools; no weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arrange import as_image
from bnas_deploy.converters.signs.binary_layers import Window, floats
from bnas_deploy.converters.signs.flow import Flow, Pads
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.limits import EXTENT_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["POOL_RULES", "conv_window"]


def conv_window(node: OperatorNode, shape: tuple[int, int, int], kernel: Sequence[int]) -> Window:
    """Read strides, dilations and padding of a node.

    Args:
        node: A convolution or pool.
        shape: (C, H, W) of its input.
        kernel: Height and width.

    Raises:
        CannotConvert: They are not those of a two-dimensional window, or cut pixels off.
    """
    strides = _pair(node, "strides")
    dilations = _pair(node, "dilations")
    automatic = node.attributes.get("auto_pad", "NOTSET")
    if automatic in ("NOTSET", "VALID"):
        pads = tuple(int(p) for p in node.attributes.get("pads", (0, 0, 0, 0)))
        pads = pads if automatic == "NOTSET" else (0, 0, 0, 0)
    elif automatic in ("SAME_UPPER", "SAME_LOWER"):
        pads = _same(shape, kernel, strides, dilations, automatic == "SAME_UPPER")
    else:
        msg = f"auto_pad {automatic!r}"
        raise CannotConvert(msg, "state the pads")
    if len(pads) != 4 or not all(0 <= p <= EXTENT_LIMIT for p in pads):
        msg = f"pads {list(pads)}"
        raise CannotConvert(msg, "four numbers from 0 are understood")
    return Window(strides, (pads[0], pads[1], pads[2], pads[3]), dilations)


def _pair(node: OperatorNode, name: str) -> tuple[int, int]:
    values = tuple(int(v) for v in node.attributes.get(name, (1, 1)))
    if len(values) != 2 or not all(1 <= v <= EXTENT_LIMIT for v in values):
        msg = f"{name} {list(values)}"
        raise CannotConvert(msg, "two numbers from 1 are understood")
    return values[0], values[1]


def _same(
    shape: tuple[int, int, int],
    kernel: Sequence[int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    upper: bool,
) -> Pads:
    before, after = [], []
    for extent, k, s, d in zip(shape[1:], kernel, strides, dilations, strict=True):
        total = max(0, (-(-extent // s) - 1) * s + d * (k - 1) + 1 - extent)
        small, large = total // 2, total - total // 2
        before.append(small if upper else large)
        after.append(large if upper else small)
    return before[0], before[1], after[0], after[1]


def _pool_window(node: OperatorNode, flow: Flow) -> tuple[tuple[int, int], Window]:
    kernel = tuple(int(k) for k in node.attributes.get("kernel_shape", ()))
    if len(kernel) != 2 or not all(1 <= k <= EXTENT_LIMIT for k in kernel):
        msg = f"kernel_shape {list(kernel)}"
        raise CannotConvert(msg, "two numbers are understood")
    window = conv_window(node, flow.padded_shape, kernel)
    if window.dilation != (1, 1):
        msg = f"dilations {list(window.dilation)}"
        raise CannotConvert(msg, "pool without dilation")
    if node.attributes.get("ceil_mode", 0):
        window = replace(window, padding=_rounded_up(flow.padded_shape, kernel, window))
    return (kernel[0], kernel[1]), window


def _rounded_up(shape: tuple[int, int, int], kernel: Sequence[int], window: Window) -> Pads:
    """Padding that makes a last window where ceil_mode has one: one that begins inside."""
    pads = list(window.padding)
    for axis in range(2):
        extent, k, s = shape[1 + axis], kernel[axis], window.stride[axis]
        span = extent + pads[axis] + pads[2 + axis] - k
        last = -(-span // s)
        if last * s >= extent + pads[axis]:
            last -= 1
        pads[2 + axis] += max(0, last * s - span)
    return pads[0], pads[1], pads[2], pads[3]


def _pooled(
    imports: Importer, op: str, name: str, value: str, kernel: tuple[int, int], window: Window
) -> Flow:
    if any(p >= kernel[i % 2] for i, p in enumerate(window.padding)):
        msg = f"padding {list(window.padding)} is not smaller than the kernel {list(kernel)}"
        raise CannotConvert(
            msg,
            "pad less",
        )
    attributes = {"kernel": kernel, "stride": window.stride, "padding": window.padding}
    return imports.bare(imports.node(op, name, (value,), attributes))


def _image(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    return flow if flow.image else as_image(imports, flow, node.name)


def _max_pool(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    """The maximum of signs is the sign of the maximum, so levels stay."""
    flow = _image(imports, node, inputs)
    if len(node.outputs) > 1 and node.outputs[1]:
        msg = "gives indices"
        raise CannotConvert(msg, "only the maximum is understood")
    kernel, window = _pool_window(node, flow)
    levels, source = flow.levels, flow.name
    window = _with_pads(imports, flow, window)
    if levels is not None:
        rising = (levels.low <= levels.mid) & (levels.mid <= levels.high)
        falling = (levels.low >= levels.mid) & (levels.mid >= levels.high)
        if not (rising | falling).all():
            msg = "its input's levels do not rise with its sign"
            raise CannotConvert(msg, "pool before it")
        sign = np.where(rising, 1.0, -1.0)
        negated = imports.affine(
            Flow(source, flow.shape, flow.shape), sign, np.zeros_like(sign), f"{node.name}.negated"
        )
        source = negated.name
        low, high = np.minimum(levels.low, levels.high), np.maximum(levels.low, levels.high)
        levels = type(levels)(low, levels.mid, high)
    result = _pooled(imports, "max_pool", node.name, source, kernel, window)
    return replace(result, levels=levels)


def _with_pads(imports: Importer, flow: Flow, window: Window) -> Window:
    """Padding with what no maximum sees: -infinity, or the least that the value can be."""
    if not any(flow.pads):
        return window
    assert flow.fill is not None
    least = np.full(flow.channels, -np.inf)
    producer = imports.producer(flow.name)
    if flow.levels is not None:
        least = np.minimum(np.minimum(flow.levels.low, flow.levels.mid), flow.levels.high)
    elif producer is not None and producer.op == "relu":
        least = np.zeros(flow.channels)
    elif producer is not None and producer.op == "clip":
        least = producer.constants["low"]
    if (flow.fill > least).any():
        msg = "a maximum over a border that was padded with a number"
        raise CannotConvert(msg, "pad inside the pool")
    return replace(window, padding=_together(window.padding, flow.pads))


def _together(a: Pads, b: Pads) -> Pads:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]


def _average_pool(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = _image(imports, node, inputs)
    kernel, window = _pool_window(node, flow)
    counted = bool(node.attributes.get("count_include_pad", 0))
    if any(flow.pads):
        assert flow.fill is not None
        if flow.fill.any() or (any(window.padding) and not counted):
            msg = "averages a border that was padded"
            raise CannotConvert(msg, "pad inside the pool")
        window, counted = replace(window, padding=_together(window.padding, flow.pads)), True
        flow = imports.bare(flow.name) if flow.levels is None else replace(
            flow, pads=(0, 0, 0, 0), fill=None, dims=flow.shape
        )  # fmt: skip
    plain = floats(imports, flow, node.name)
    if counted and any(window.padding):
        if node.attributes.get("ceil_mode", 0):
            msg = "counts its padding and rounds its size up"
            raise CannotConvert(msg, "use ceil_mode = 0")
        return _box_filter(imports, node, plain, kernel, window)
    return _pooled(imports, "avg_pool", node.name, plain.name, kernel, window)


def _box_filter(
    imports: Importer, node: OperatorNode, flow: Flow, kernel: tuple[int, int], window: Window
) -> Flow:
    """An average that counts its padding divides by the same number everywhere."""
    weight = np.full((flow.channels, 1, *kernel), 1 / (kernel[0] * kernel[1]))
    name = imports.node("conv", node.name, (flow.name,), window.attributes(), {"weight": weight})
    imports.add_float_layer(node.name, node.op, name, "its average counts the padding")
    return imports.bare(name)


def _global_max(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = _image(imports, node, inputs)
    whole = replace(node, attributes={"kernel_shape": flow.padded_shape[1:]})
    return _max_pool(imports, whole, [flow])


POOL_RULES = {
    "AveragePool": _average_pool,
    "GlobalMaxPool": _global_max,
    "MaxPool": _max_pool,
}
