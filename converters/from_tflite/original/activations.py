"""Activations, fused into another operator or on their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tflite import ActivationFunctionType as Fused

from bnas_deploy.converters.from_tflite.file.model import Operator, TfliteModel
from bnas_deploy.converters.from_tflite.original.types import Evaluator
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["ACTIVATIONS", "activated"]

_FUSED: dict[int, Callable[[Array], Array]] = {
    Fused.NONE: lambda x: x,
    Fused.RELU: lambda x: np.maximum(x, 0),
    Fused.RELU_N1_TO_1: lambda x: np.clip(x, -1, 1),
    Fused.RELU6: lambda x: np.clip(x, 0, 6),
    Fused.TANH: np.tanh,
}


def activated(value: Array, function: int) -> Array:
    """Return a value behind a fused activation, by TensorFlow Lite's number of it."""
    return _FUSED[function](value)


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


_PLAIN: dict[str, Callable[[Array], Array]] = {
    "ELU": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "HARD_SWISH": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "LOGISTIC": lambda x: 1 / (1 + np.exp(-x)),
    "LOG_SOFTMAX": lambda x: np.log(_softmax(x)),
    "RELU": _FUSED[Fused.RELU],
    "RELU6": _FUSED[Fused.RELU6],
    "RELU_0_TO_1": lambda x: np.clip(x, 0, 1),
    "RELU_N1_TO_1": _FUSED[Fused.RELU_N1_TO_1],
    "SOFTMAX": _softmax,
    "TANH": np.tanh,
}


def _activation(model: TfliteModel, operator: Operator, inputs: list[Array]) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(_PLAIN[operator.op](inputs[0]), np.float32)


def _leaky(model: TfliteModel, operator: Operator, inputs: list[Array]) -> Array:
    x = inputs[0]
    return np.where(x > 0, x, x * np.float32(operator.options["Alpha"]))


def _prelu(model: TfliteModel, operator: Operator, inputs: list[Array]) -> Array:
    x, slope = inputs
    return np.where(x > 0, x, x * slope)


ACTIVATIONS: dict[str, Evaluator] = {
    **dict.fromkeys(_PLAIN, _activation),
    "LEAKY_RELU": _leaky,
    "PRELU": _prelu,
}
