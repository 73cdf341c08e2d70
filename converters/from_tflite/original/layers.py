"""Convolutions and linear layers as sums over the taps of their windows, float32."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import Operator, TfliteModel
from bnas_deploy.converters.from_tflite.original.activations import activated
from bnas_deploy.converters.from_tflite.original.types import Evaluator
from bnas_deploy.converters.from_tflite.original.windows import Window
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["LAYERS", "convolved"]

Inputs = Sequence[Array]


def convolved(image: Array, weight: Array, window: Window, around: float = 0.0) -> Array:
    """Return the convolution of (N, H, W, C) with weights (O, kh, kw, C / groups)."""
    groups = image.shape[3] // weight.shape[3]
    filters = np.split(weight, groups)
    total: Array | None = None
    for y, x, seen in window.taps(image, around):
        parts = zip(np.split(seen, groups, axis=3), filters, strict=True)
        each = [part @ own[:, y, x].T for part, own in parts]
        part = each[0] if groups == 1 else np.concatenate(each, axis=3)
        total = part if total is None else total + part
    return np.asarray(total)


def _window(operator: Operator, weight: Array) -> Window:
    options = operator.options
    return Window(
        (weight.shape[1], weight.shape[2]),
        (options["StrideH"], options["StrideW"]),
        options["Padding"],
        (options["DilationHFactor"], options["DilationWFactor"]),
    )


def _finished(operator: Operator, value: Array, inputs: Inputs) -> Array:
    bias = inputs[2] if len(inputs) > 2 and inputs[2] is not None else None
    value = value if bias is None else value + bias
    return activated(value, operator.options["FusedActivationFunction"])


def _conv(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    image, weight = inputs[:2]
    return _finished(operator, convolved(image, weight, _window(operator, weight)), inputs)


def _depthwise(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    image, weight = inputs[:2]
    times = weight.shape[3] // image.shape[3]
    taps = _window(operator, weight).taps(np.repeat(image, times, axis=3), 0.0)
    value = sum(seen * weight[0, y, x] for y, x, seen in taps)
    return _finished(operator, np.asarray(value), inputs)


def _linear(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    rows, weight = inputs[0].reshape(-1, inputs[1].shape[1]), inputs[1]
    value = _finished(operator, rows @ weight.T, inputs)
    return value.reshape(model.tensors[operator.outputs[0]].shape)


def _matmul(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    adjoint = operator.options["AdjX"], operator.options["AdjY"]
    x, y = (v.swapaxes(-1, -2) if turn else v for v, turn in zip(inputs, adjoint, strict=True))
    return np.asarray(x @ y)


LAYERS: dict[str, Evaluator] = {
    "BATCH_MATMUL": _matmul,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _linear,
}
