"""Arithmetic, compares, choices and casts, with NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import Operator, TfliteModel
from bnas_deploy.converters.from_tflite.original.activations import activated
from bnas_deploy.converters.from_tflite.original.types import Evaluator
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["ELEMENTWISE"]

Inputs = Sequence[Array]
Function = Callable[..., Any]

_FUSING: dict[str, Function] = {
    "ADD": np.add,
    "DIV": np.divide,
    "MUL": np.multiply,
    "SUB": np.subtract,
}
_PLAIN: dict[str, Function] = {
    "ABS": np.abs,
    "CEIL": np.ceil,
    "EQUAL": np.equal,
    "FLOOR": np.floor,
    "GREATER": np.greater,
    "GREATER_EQUAL": np.greater_equal,
    "LESS": np.less,
    "LESS_EQUAL": np.less_equal,
    "LOGICAL_AND": np.logical_and,
    "LOGICAL_NOT": np.logical_not,
    "LOGICAL_OR": np.logical_or,
    "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
    "NEG": np.negative,
    "NOT_EQUAL": np.not_equal,
    "ROUND": np.rint,
    "SELECT": np.where,
    "SELECT_V2": np.where,
    "SIGN": np.sign,
    "SQUARE": np.square,
}
_TYPES = {
    "BOOL": np.bool_, "FLOAT16": np.float32, "FLOAT32": np.float32, "INT8": np.int8,
    "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8,
}  # fmt: skip


def _fusing(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    value = _FUSING[operator.op](*inputs)
    return activated(value, operator.options["FusedActivationFunction"])


def _plain(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    return np.asarray(_PLAIN[operator.op](*inputs))


def _cast(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    return inputs[0].astype(_TYPES[model.tensors[operator.outputs[0]].kind])


def _same(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    return inputs[0]


ELEMENTWISE: dict[str, Evaluator] = {
    **dict.fromkeys(_FUSING, _fusing),
    **dict.fromkeys(_PLAIN, _plain),
    "CAST": _cast,
    "DEQUANTIZE": _same,
    "QUANTIZE": _same,
}
