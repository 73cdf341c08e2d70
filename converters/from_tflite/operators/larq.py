"""The operators of larq's Compute Engine: bits become the signs that they stand for.

A binary convolution sums signs, bounds the sum (its fused activation), then multiplies and adds one
number a channel. Where it writes bits, it compares the number of unequal signs with a threshold.
"""

from __future__ import annotations

import numpy as np
import tflite

from bnas_deploy.converters.from_tflite.bits import WORD, unpacked
from bnas_deploy.converters.from_tflite.file.model import Operator
from bnas_deploy.converters.from_tflite.operators.activations import activated
from bnas_deploy.converters.from_tflite.operators.windows import pads_around, window
from bnas_deploy.converters.from_tflite.operators.writer import Rule, Writer
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["LARQ_RULES"]


def _quantize(writer: Writer, operator: Operator) -> str:
    steps = writer.model.steps_behind(operator.inputs[0])
    if steps is None:
        positive = writer.add("GreaterOrEqual", writer.given(0), 0.0)
    else:  # what rounds to the zero point counts as 0
        positive = writer.add("Greater", writer.given(0), -steps.scale / 2)
    return writer.add("Where", positive, 1.0, -1.0)


def _dequantize(writer: Writer, operator: Operator) -> str:
    steps = writer.model.tensors[operator.outputs[0]].steps
    if steps is None:
        return writer.add("Identity", writer.given(0))
    away = round(1 / steps.scale)
    low, high = max(steps.least, steps.zero - away), min(steps.most, steps.zero + away)
    positive = writer.add("Greater", writer.given(0), 0.0)
    ends = ((number - steps.zero) * steps.scale for number in (high, low))
    return writer.add("Where", positive, *ends)


def _conv(writer: Writer, operator: Operator) -> str:
    o, channels = operator.options, operator.options["channels_in"]
    words = writer.array(1, "its weight")
    if words.ndim != 4 or words.dtype != np.int32:
        msg = f"its weights are {words.dtype} of {words.ndim} dimensions"
        raise CannotConvert(msg, "convert the model with a newer larq-compute-engine")
    groups = -(-channels // WORD) // words.shape[3]
    weight = unpacked(words, channels // groups).transpose(0, 3, 1, 2)
    dilation = o["dilation_height_factor"], o["dilation_width_factor"]
    moves = window((o["stride_height"], o["stride_width"]), o["padding"], dilation)
    image = writer.first(writer.given(0))
    if o["pad_values"] and o["padding"] == tflite.Padding.SAME:
        around = (writer.shape(0)[1:3], weight.shape[2:], moves["strides"], dilation)
        image = writer.add("Pad", image, np.array(pads_around(*around), np.int64), 1.0)
        moves["auto_pad"] = "VALID"
    total = writer.last(writer.add("Conv", image, weight, group=groups, **moves))
    if writer.model.tensors[operator.outputs[0]].kind == "INT32":
        return _bits(writer, total, weight[0].size)
    bounded = activated(writer, total, o["fused_activation_function"])
    scaled = writer.add("Mul", bounded, writer.array(2, "its multiplier"))
    return writer.add("Add", scaled, writer.array(3, "its bias"))


def _bits(writer: Writer, total: str, taps: int) -> str:
    """-1 where more than the threshold of all signs differ: the sum is taps - 2 * different."""
    threshold: Array = writer.array(4, "its threshold").astype(np.int64)
    least = taps - 2 * np.clip(threshold, -1, taps)
    positive = writer.add("GreaterOrEqual", total, least.astype(np.float32))
    return writer.add("Where", positive, 1.0, -1.0)


def _max_pool(writer: Writer, operator: Operator) -> str:
    o = operator.options
    moves = window((o["stride_height"], o["stride_width"]), o["padding"])
    kernel = o["filter_height"], o["filter_width"]
    image = writer.first(writer.given(0))
    return writer.last(writer.add("MaxPool", image, kernel_shape=kernel, **moves))


LARQ_RULES: dict[str, Rule] = {
    "LceBMaxPool2d": _max_pool,
    "LceBconv2d": _conv,
    "LceDequantize": _dequantize,
    "LceQuantize": _quantize,
}
