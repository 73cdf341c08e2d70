"""Activations, fused into another operator or on their own."""

from __future__ import annotations

from tflite import ActivationFunctionType as Fused

from bnas_deploy.converters.from_tflite.file.model import Operator
from bnas_deploy.converters.from_tflite.operators.writer import Rule, Writer
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ACTIVATION_RULES", "activated"]

_BOUNDS = {
    Fused.RELU_N1_TO_1: (-1.0, 1.0),
    Fused.RELU6: (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU6": (0.0, 6.0),
    "RELU_0_TO_1": (0.0, 1.0),
}


def activated(writer: Writer, value: str, function: int) -> str:
    """Add a fused activation, by TensorFlow Lite's number of it.

    Raises:
        CannotConvert: It is not known.
    """
    if function == Fused.NONE:
        return value
    if function == Fused.RELU:
        return writer.add("Relu", value)
    if function == Fused.TANH:
        return writer.add("Tanh", value)
    if function not in _BOUNDS:
        msg = f"the fused activation {function}"
        raise CannotConvert(msg, "leave it out of the model")
    return writer.add("Clip", value, *_BOUNDS[function])


def _bounded(writer: Writer, operator: Operator) -> str:
    return writer.add("Clip", writer.given(0), *_BOUNDS[operator.op])


def _leaky(writer: Writer, operator: Operator) -> str:
    return writer.add("LeakyRelu", writer.given(0), alpha=operator.options["Alpha"])


def _softmax(writer: Writer, operator: Operator) -> str:
    op = {"SOFTMAX": "Softmax", "LOG_SOFTMAX": "LogSoftmax"}[operator.op]
    return writer.add(op, writer.given(0), axis=-1)


ACTIVATION_RULES: dict[str, Rule] = {
    "LEAKY_RELU": _leaky,
    "LOG_SOFTMAX": _softmax,
    "RELU6": _bounded,
    "RELU_0_TO_1": _bounded,
    "RELU_N1_TO_1": _bounded,
    "SOFTMAX": _softmax,
}
