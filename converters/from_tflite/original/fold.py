"""Computes what depends on constants alone, once; a few kinds of operators, all bounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import Operator, Tensor, TfliteModel
from bnas_deploy.converters.from_tflite.original.activations import ACTIVATIONS
from bnas_deploy.converters.from_tflite.original.elementwise import ELEMENTWISE
from bnas_deploy.converters.from_tflite.original.evaluate import results
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.graph import MISFITS
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT

__all__ = ["folded"]

_FOLDED = {
    "CONCATENATION", "EXPAND_DIMS", "GATHER", "LceDequantize", "LceQuantize", "MEAN", "PACK",
    "REDUCE_MAX", "REDUCE_MIN", "RESHAPE", "SLICE", "SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE",
    "SUM", "TRANSPOSE", *ACTIVATIONS, *ELEMENTWISE,
}  # fmt: skip
"""What makes no more than it reads, or than `_bounded` sees."""


def folded(model: TfliteModel) -> TfliteModel:
    """Return a model whose operators all depend on its input, as far as constants are understood.

    Shapes are those that the file states.
    """
    tensors, left = list(model.tensors), []
    for operator in model.operators:
        values = _values(replace(model, tensors=tuple(tensors)), operator)
        if values is None:
            left.append(operator)
            continue
        for place, value in zip(operator.outputs, values, strict=True):
            tensors[place] = replace(tensors[place], array=value, steps=None)
    return replace(model, tensors=tuple(tensors), operators=tuple(left))


def _values(model: TfliteModel, operator: Operator) -> list[Array] | None:
    """What an operator makes, if it is the same for every image."""
    if operator.op == "SHAPE":
        return [np.array(model.tensors[operator.inputs[0]].shape, np.int32)]
    arrays = [model.array(place) for place in operator.inputs]
    given = [array for array in arrays if array is not None]
    if (
        operator.op not in _FOLDED
        or len(given) < len(arrays)
        or not _bounded(model.tensors, operator, given)
    ):
        return None
    try:
        return results(model, operator, given)
    except MISFITS:
        return None


def _bounded(tensors: Sequence[Tensor], operator: Operator, given: Sequence[Array]) -> bool:
    sizes = [math.prod(tensors[place].shape) for place in operator.outputs]
    if operator.op in ELEMENTWISE or operator.op == "PRELU":
        try:
            sizes.append(math.prod(np.broadcast_shapes(*(array.shape for array in given))))
        except ValueError:
            return False
    if operator.op == "GATHER":
        sizes.append(given[0].size * given[1].size)
    return sum(sizes) + sum(array.size for array in given) <= ARRAY_LIMIT
