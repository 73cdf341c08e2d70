"""Pools, and reductions over axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import Operator, TfliteModel
from bnas_deploy.converters.from_tflite.original.activations import activated
from bnas_deploy.converters.from_tflite.original.types import Evaluator
from bnas_deploy.converters.from_tflite.original.windows import Window
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["POOLS", "largest"]

Inputs = Sequence[Array]


def largest(image: Array, window: Window) -> Array:
    """Return the maximum of what a window sees of (N, H, W, C)."""
    return reduce(np.maximum, (tap.seen for tap in window.taps(image, -np.inf)))


def _window(operator: Operator) -> Window:
    names = ("FilterHeight", "FilterWidth", "StrideH", "StrideW", "Padding")
    height, width, down, across, padding = (operator.options[name] for name in names)
    return Window((height, width), (down, across), padding)


def _max_pool(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    value = largest(inputs[0], _window(operator))
    return activated(value, operator.options["FusedActivationFunction"])


def _average_pool(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    window, image = _window(operator), inputs[0]
    inside = np.ones((1, *image.shape[1:3], 1), np.float32)
    total = sum(tap.seen for tap in window.taps(image, 0.0))
    count = sum(tap.seen for tap in window.taps(inside, 0.0))
    return activated(np.asarray(total / count), operator.options["FusedActivationFunction"])


_REDUCERS: dict[str, Callable[..., Any]] = {
    "MEAN": np.mean,
    "REDUCE_MAX": np.max,
    "REDUCE_MIN": np.min,
    "SUM": np.sum,
}


def _reduced(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    axes = tuple(int(axis) for axis in inputs[1].reshape(-1))
    keep = bool(operator.options["KeepDims"])
    return np.asarray(_REDUCERS[operator.op](inputs[0], axis=axes, keepdims=keep))


def _arg_max(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    return np.asarray(np.argmax(inputs[0], axis=int(inputs[1].reshape(()))))


POOLS: dict[str, Evaluator] = {
    "ARG_MAX": _arg_max,
    "AVERAGE_POOL_2D": _average_pool,
    "MAX_POOL_2D": _max_pool,
    **dict.fromkeys(_REDUCERS, _reduced),
}
