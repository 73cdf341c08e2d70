"""Pools, and reductions over axes."""

from __future__ import annotations

from bnas_deploy.converters.from_tflite.file.model import Operator
from bnas_deploy.converters.from_tflite.operators.activations import activated
from bnas_deploy.converters.from_tflite.operators.windows import window
from bnas_deploy.converters.from_tflite.operators.writer import Rule, Writer

__all__ = ["POOL_RULES"]

_POOLS = {"AVERAGE_POOL_2D": "AveragePool", "MAX_POOL_2D": "MaxPool"}
_REDUCERS = {
    "MEAN": "ReduceMean",
    "REDUCE_MAX": "ReduceMax",
    "REDUCE_MIN": "ReduceMin",
    "SUM": "ReduceSum",
}


def _pool(writer: Writer, operator: Operator) -> str:
    o = operator.options
    value = writer.add(
        _POOLS[operator.op],
        writer.first(writer.given(0)),
        kernel_shape=(o["FilterHeight"], o["FilterWidth"]),
        **window((o["StrideH"], o["StrideW"]), o["Padding"]),
    )
    return writer.last(activated(writer, value, o["FusedActivationFunction"]))


def _reduce(writer: Writer, operator: Operator) -> str:
    return writer.add(
        _REDUCERS[operator.op],
        writer.given(0),
        axes=tuple(writer.numbers(1, "its axes")),
        keepdims=int(operator.options["KeepDims"]),
    )


def _arg_max(writer: Writer, operator: Operator) -> str:
    (axis,) = writer.numbers(1, "its axis")
    return writer.add("ArgMax", writer.given(0), axis=axis, keepdims=0)


POOL_RULES: dict[str, Rule] = {
    "ARG_MAX": _arg_max,
    **dict.fromkeys(_POOLS, _pool),
    **dict.fromkeys(_REDUCERS, _reduce),
}
