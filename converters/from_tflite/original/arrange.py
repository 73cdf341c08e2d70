"""Operators that move elements about: shapes, orders of axes, padding, parts and joins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import Operator, TfliteModel
from bnas_deploy.converters.from_tflite.original.activations import activated
from bnas_deploy.converters.from_tflite.original.types import Evaluator
from bnas_deploy.converters.graph.nodes import Array

__all__ = ["ARRANGE"]

Inputs = Sequence[Array]


def _reshape(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    return inputs[0].reshape(model.tensors[operator.outputs[0]].shape)


def _transpose(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    return inputs[0].transpose([int(axis) for axis in inputs[1]])


def _pad(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    value = float(inputs[2].reshape(())) if len(inputs) > 2 else 0.0
    return np.pad(inputs[0], inputs[1].tolist(), constant_values=value)


def _concat(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    value = np.concatenate(inputs, axis=operator.options["Axis"])
    return activated(value, operator.options["FusedActivationFunction"])


def _slice(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    rows = zip(inputs[1].tolist(), inputs[2].tolist(), strict=True)
    return inputs[0][tuple(slice(a, None if size < 0 else a + size) for a, size in rows)]


def _strided_slice(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    options, index = operator.options, []
    rows = zip(*(x.tolist() for x in inputs[1:4]), strict=True)
    for place, (begin, end, step) in enumerate(rows):
        bit = 1 << place
        if options["ShrinkAxisMask"] & bit:
            index.append(slice(begin, begin + 1 or None))
            continue
        first = None if options["BeginMask"] & bit else begin
        index.append(slice(first, None if options["EndMask"] & bit else end, step))
    return _shaped(inputs[0][tuple(index)], model, operator)


def _shaped(value: Array, model: TfliteModel, operator: Operator) -> Array:
    return value.reshape(model.tensors[operator.outputs[0]].shape)


def _split(model: TfliteModel, operator: Operator, inputs: Inputs) -> list[Array]:
    return np.split(inputs[1], len(operator.outputs), axis=int(inputs[0].reshape(())))


def _split_v(model: TfliteModel, operator: Operator, inputs: Inputs) -> list[Array]:
    ends = np.cumsum(inputs[1])[:-1]
    return np.split(inputs[0], ends, axis=int(inputs[2].reshape(())))


def _gather(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    return np.take(inputs[0], inputs[1], axis=operator.options["Axis"])


def _pack(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    return _shaped(np.stack(inputs), model, operator)


def _shape(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    return np.array(inputs[0].shape, np.int32)


def _space_to_depth(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    size = operator.options["BlockSize"]
    n, h, w, c = inputs[0].shape
    parts = inputs[0].reshape(n, h // size, size, w // size, size, c)
    return parts.transpose(0, 1, 3, 2, 4, 5).reshape(n, h // size, w // size, size * size * c)


def _depth_to_space(model: TfliteModel, operator: Operator, inputs: Inputs) -> Array:
    size = operator.options["BlockSize"]
    n, h, w, c = inputs[0].shape
    parts = inputs[0].reshape(n, h, w, size, size, c // size**2)
    return parts.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * size, w * size, c // size**2)


ARRANGE: dict[str, Evaluator] = {
    "CONCATENATION": _concat,
    "DEPTH_TO_SPACE": _depth_to_space,
    "EXPAND_DIMS": _reshape,
    "GATHER": _gather,
    "PACK": _pack,
    "PAD": _pad,
    "PADV2": _pad,
    "RESHAPE": _reshape,
    "SHAPE": _shape,
    "SLICE": _slice,
    "SPACE_TO_DEPTH": _space_to_depth,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SQUEEZE": _reshape,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
}
