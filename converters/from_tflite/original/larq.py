"""The operators of larq's Compute Engine; bits are kept as +1 and -1, a channel each.

The formulas are those of its reference kernels: whole sums, bounded by the activation, times the
multiplier, plus the bias.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnas_deploy.converters.from_tflite.bits import WORD, unpacked
from bnas_deploy.converters.from_tflite.file.model import Operator, TfliteModel
from bnas_deploy.converters.from_tflite.original.activations import activated
from bnas_deploy.converters.from_tflite.original.layers import convolved
from bnas_deploy.converters.from_tflite.original.pools import largest
from bnas_deploy.converters.from_tflite.original.types import Evaluator
from bnas_deploy.converters.from_tflite.original.windows import Window
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["LARQ"]

Inputs = Sequence[Array]


def _quantize(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    steps = model.steps_behind(operator.inputs[0])
    if steps is None:
        return np.where(inputs[0] < 0, np.float32(-1), np.float32(1))
    # What rounds to the zero point counts as 0.
    return np.where(inputs[0] > -steps.scale / 2, np.float32(1), np.float32(-1))


def _dequantize(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    steps = model.tensors[operator.outputs[0]].steps
    if steps is None:
        return inputs[0]
    away = round(1 / steps.scale)
    high, low = (min(127, steps.zero + away), max(-128, steps.zero - away))
    reals = [np.float32((number - steps.zero) * steps.scale) for number in (high, low)]
    return np.where(inputs[0] > 0, *reals)


def _conv(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    options, channels = operator.options, operator.options["channels_in"]
    image, words = inputs[0][..., :channels], inputs[1]
    groups = -(-channels // WORD) // words.shape[3]
    weight = unpacked(words, channels // groups)
    window = Window(
        (weight.shape[1], weight.shape[2]),
        (options["stride_height"], options["stride_width"]),
        options["padding"],
        (options["dilation_height_factor"], options["dilation_width_factor"]),
    )
    total = convolved(image, weight, window, float(options["pad_values"]))
    if model.tensors[operator.outputs[0]].kind == "INT32":
        different = (weight[0].size - total) / 2
        return np.where(different > inputs[4], np.float32(-1), np.float32(1))
    bounded = activated(total, options["fused_activation_function"])
    return np.asarray(bounded * inputs[2] + inputs[3])


def _max_pool(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    names = ("filter_height", "filter_width", "stride_height", "stride_width", "padding")
    height, width, down, across, padding = (operator.options[name] for name in names)
    return largest(inputs[0], Window((height, width), (down, across), padding))


LARQ: dict[str, Evaluator] = {
    "LceBMaxPool2d": _max_pool,
    "LceBconv2d": _conv,
    "LceDequantize": _dequantize,
    "LceQuantize": _quantize,
}
