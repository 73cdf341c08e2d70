"""Runs a model operator by operator in NumPy, in the file's own order and layout.

It is what a conversion is compared with where no interpreter is, so it shares nothing with the
translation but what the file says. Values in 8 bits are kept within their range, and not rounded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import LEFT_OUT, Operator, Steps, TfliteModel
from bnas_deploy.converters.from_tflite.original.activations import ACTIVATIONS
from bnas_deploy.converters.from_tflite.original.arrange import ARRANGE
from bnas_deploy.converters.from_tflite.original.elementwise import ELEMENTWISE
from bnas_deploy.converters.from_tflite.original.larq import LARQ
from bnas_deploy.converters.from_tflite.original.layers import LAYERS
from bnas_deploy.converters.from_tflite.original.pools import POOLS
from bnas_deploy.converters.from_tflite.original.types import Evaluator, Floats
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["EVALUATORS", "evaluated", "results"]

EVALUATORS: dict[str, Evaluator] = {
    **ACTIVATIONS,
    **ARRANGE,
    **ELEMENTWISE,
    **LARQ,
    **LAYERS,
    **POOLS,
}


def results(model: TfliteModel, operator: Operator, inputs: Sequence[Array | None]) -> list[Array]:
    """Return what an operator makes of its inputs; None where one is left out."""
    found = EVALUATORS[operator.op](model, operator, inputs)
    values = found if isinstance(found, list) else [found]
    each = zip(operator.outputs, values, strict=True)
    return [_bounded(value, model.tensors[place].steps) for place, value in each]


def _bounded(value: Array, steps: Steps | None) -> Array:
    """A value within the range of its steps."""
    if steps is None:
        return value
    low, high = steps.range
    return np.clip(value, np.float32(low), np.float32(high))


def evaluated(model: TfliteModel, images: Floats, wanted: Sequence[int]) -> list[Array]:
    """Return the values at some places for a batch of inputs, in the shape that the model takes."""
    values: dict[int, Array | None] = {LEFT_OUT: None, model.input: images}
    for operator in _needed(model, wanted):
        given = [_value(model, values, place) for place in operator.inputs]
        values.update(zip(operator.outputs, results(model, operator, given), strict=True))
    found = (_value(model, values, place) for place in wanted)
    return [value for value in found if value is not None]


def _value(model: TfliteModel, values: dict[int, Array | None], place: int) -> Array | None:
    return values[place] if place in values else model.tensors[place].array


def _needed(model: TfliteModel, wanted: Sequence[int]) -> list[Operator]:
    """The operators that values depend on, in order."""
    places, kept = set(wanted), []
    for operator in reversed(model.operators):
        if places.intersection(operator.outputs):
            places.update(operator.inputs)
            kept.append(operator)
    return kept[::-1]
