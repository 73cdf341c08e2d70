"""Convolutions and linear layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import Operator
from bnas_deploy.converters.from_tflite.operators.activations import activated
from bnas_deploy.converters.from_tflite.operators.windows import window
from bnas_deploy.converters.from_tflite.operators.writer import Rule, Writer
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["LAYER_RULES"]


def _moves(operator: Operator) -> dict[str, Any]:
    o = operator.options
    dilation = o["DilationHFactor"], o["DilationWFactor"]
    return window((o["StrideH"], o["StrideW"]), o["Padding"], dilation)


def _bias(writer: Writer) -> list[Array]:
    return [writer.array(2, "its bias")] if writer.has(2) else []


def _conv(writer: Writer, operator: Operator) -> str:
    weight = writer.array(1, "its weight").transpose(0, 3, 1, 2)
    groups = writer.shape(0)[3] // weight.shape[1]
    return _convolution(writer, operator, weight, groups)


def _depthwise(writer: Writer, operator: Operator) -> str:
    weight = writer.array(1, "its weight").transpose(3, 0, 1, 2)
    return _convolution(writer, operator, weight, writer.shape(0)[3])


def _convolution(writer: Writer, operator: Operator, weight: Array, groups: int) -> str:
    image = writer.first(writer.given(0))
    value = writer.add("Conv", image, weight, *_bias(writer), group=groups, **_moves(operator))
    value = activated(writer, value, operator.options["FusedActivationFunction"])
    return writer.last(value)


def _linear(writer: Writer, operator: Operator) -> str:
    if operator.options["WeightsFormat"]:
        msg = "its weights are shuffled"
        raise CannotConvert(msg, "convert the model with the weights in their usual order")
    weight, shape = writer.array(1, "its weight"), writer.shape(0)
    if math.prod(shape[1:]) != weight.shape[1]:
        return _of_pixels(writer, operator, weight)
    value = writer.given(0)
    if len(shape) != 2:
        value = writer.add("Reshape", value, _whole(shape[0], weight.shape[1]))
    value = writer.add("Gemm", value, weight, *_bias(writer), transB=1)
    value = activated(writer, value, operator.options["FusedActivationFunction"])
    if len(writer.result_shape) == 2:
        return value
    return writer.add("Reshape", value, _whole(*writer.result_shape))


def _of_pixels(writer: Writer, operator: Operator, weight: Array) -> str:
    """A layer that works on the channels of each pixel."""
    if not operator.options["KeepNumDims"] or len(writer.shape(0)) != 4:
        msg = f"its weights {list(weight.shape)} meet a value of shape {list(writer.shape(0))}"
        raise CannotConvert(msg, "flatten to (N, K) before a linear layer")
    image = writer.first(writer.given(0))
    value = writer.add("Conv", image, weight[:, :, None, None], *_bias(writer))
    value = activated(writer, value, operator.options["FusedActivationFunction"])
    return writer.last(value)


def _matmul(writer: Writer, operator: Operator) -> str:
    matrix = writer.array(1, "its second input")
    if matrix.ndim != 2 or operator.options["AdjX"]:
        msg = f"multiplies by a constant of {matrix.ndim} dimensions, or transposes its input"
        raise CannotConvert(msg, "use a matrix")
    return writer.add("MatMul", writer.given(0), matrix.T if operator.options["AdjY"] else matrix)


def _whole(*numbers: int) -> Array:
    return np.array(numbers, np.int64)


LAYER_RULES: dict[str, Rule] = {
    "BATCH_MATMUL": _matmul,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _linear,
}
