"""Arithmetic, compares, choices, casts and activations that differ in their names at most."""

from __future__ import annotations

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import Operator
from bnas_deploy.converters.from_tflite.operators.activations import activated
from bnas_deploy.converters.from_tflite.operators.writer import Rule, Writer
from bnas_deploy.converters.operators.types import ElementType
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ELEMENTWISE_RULES"]

_SAME = {
    "ABS": "Abs", "ADD": "Add", "CEIL": "Ceil", "DIV": "Div", "ELU": "Elu", "EQUAL": "Equal",
    "FLOOR": "Floor", "GREATER": "Greater", "GREATER_EQUAL": "GreaterOrEqual",
    "HARD_SWISH": "HardSwish", "LESS": "Less", "LESS_EQUAL": "LessOrEqual", "LOGICAL_AND": "And",
    "LOGICAL_NOT": "Not", "LOGICAL_OR": "Or", "LOGISTIC": "Sigmoid", "MAXIMUM": "Max",
    "MINIMUM": "Min", "MUL": "Mul", "NEG": "Neg", "PRELU": "PRelu", "RELU": "Relu",
    "ROUND": "Round", "SELECT": "Where", "SELECT_V2": "Where", "SIGN": "Sign", "SUB": "Sub",
    "TANH": "Tanh",
}  # fmt: skip
"""Operators that another name is all the difference of."""

_TYPES = {
    "BOOL": ElementType.BOOL, "FLOAT16": ElementType.FLOAT16, "FLOAT32": ElementType.FLOAT,
    "INT8": ElementType.INT8, "INT16": ElementType.INT16, "INT32": ElementType.INT32,
    "INT64": ElementType.INT64, "UINT8": ElementType.UINT8,
}  # fmt: skip


def _same(writer: Writer, operator: Operator) -> str:
    value = writer.add(_SAME[operator.op], *_operands(writer, operator))
    return activated(writer, value, operator.options.get("FusedActivationFunction", 0))


def _operands(writer: Writer, operator: Operator) -> list[str]:
    """The inputs, computed ones of lower rank with axes of one in front, as they are broadcast.

    Raises:
        CannotConvert: A batch would then be broadcast along another axis.
    """
    rank, found = len(writer.result_shape), []
    for place, tensor in enumerate(operator.inputs):
        value, shape = writer.given(place), writer.shape(place)
        if writer.model.array(tensor) is None and len(shape) < rank:
            if shape[0] != 1:
                msg = f"combines shapes {list(shape)} and {list(writer.result_shape)}"
                raise CannotConvert(msg, "convert the model with a batch of one")
            ones = (1,) * (rank - len(shape))
            value = writer.add("Reshape", value, np.array(ones + shape, np.int64))
        found.append(value)
    return found


def _not_equal(writer: Writer, operator: Operator) -> str:
    return writer.add("Not", writer.add("Equal", *_operands(writer, operator)))


def _square(writer: Writer, operator: Operator) -> str:
    return writer.add("Mul", writer.given(0), writer.given(0))


def _cast(writer: Writer, operator: Operator) -> str:
    kind = writer.model.tensors[operator.outputs[0]].kind
    return writer.add("Cast", writer.given(0), to=_TYPES[kind])


def _identity(writer: Writer, operator: Operator) -> str:
    return writer.add("Identity", writer.given(0))


ELEMENTWISE_RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME, _same),
    "CAST": _cast,
    "DEQUANTIZE": _identity,
    "NOT_EQUAL": _not_equal,
    "QUANTIZE": _identity,
    "SQUARE": _square,
}
