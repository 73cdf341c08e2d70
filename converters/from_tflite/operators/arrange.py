"""Operators that move elements about: shapes, orders of axes, padding, parts and joins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnas_deploy.converters.from_tflite.file.model import Operator
from bnas_deploy.converters.from_tflite.operators.activations import activated
from bnas_deploy.converters.from_tflite.operators.writer import Rule, Writer
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ARRANGE_RULES"]

END = 2**31 - 1
"""An end that stands for the end of the axis."""


def _whole(numbers: Sequence[int]) -> Array:
    return np.array(numbers, np.int64)


def _reshape(writer: Writer, operator: Operator) -> str:
    return writer.add("Reshape", writer.given(0), _whole(writer.result_shape))


def _transpose(writer: Writer, operator: Operator) -> str:
    perm = tuple(writer.numbers(1, "its order of axes"))
    return writer.add("Transpose", writer.given(0), perm=perm)


def _pad(writer: Writer, operator: Operator) -> str:
    pads = _whole(writer.array(1, "its padding").T.reshape(-1).tolist())
    value = writer.array(2, "what it pads with").reshape(()) if writer.has(2) else np.float32(0)
    return writer.add("Pad", writer.given(0), pads, np.asarray(value, np.float32))


def _concat(writer: Writer, operator: Operator) -> str:
    values = [writer.given(place) for place in range(len(operator.inputs))]
    value = writer.add("Concat", *values, axis=operator.options["Axis"])
    return activated(writer, value, operator.options["FusedActivationFunction"])


def _slice(writer: Writer, operator: Operator) -> str:
    starts, sizes = writer.numbers(1, "its begin"), writer.numbers(2, "its size")
    ends = [END if n < 0 else start + n for start, n in zip(starts, sizes, strict=True)]
    return _sliced(writer, starts, ends, [1] * len(starts))


def _sliced(writer: Writer, starts: list[int], ends: list[int], steps: list[int]) -> str:
    axes = list(range(len(starts)))
    parts = (_whole(numbers) for numbers in (starts, ends, axes, steps))
    return writer.add("Slice", writer.given(0), *parts)


def _strided_slice(writer: Writer, operator: Operator) -> str:
    options = operator.options
    if options["EllipsisMask"] or options["NewAxisMask"] or options["Offset"]:
        msg = "slices by an ellipsis or new axes"
        raise CannotConvert(msg, "state a begin and an end for every axis")
    starts, ends, steps = (writer.numbers(i, "its begin, end or strides") for i in (1, 2, 3))
    for place in range(len(starts)):
        bit = 1 << place
        if options["ShrinkAxisMask"] & bit:
            starts[place], steps[place] = starts[place], 1
            ends[place] = END if starts[place] == -1 else starts[place] + 1
            continue
        starts[place] = 0 if options["BeginMask"] & bit else starts[place]
        ends[place] = END if options["EndMask"] & bit else ends[place]
    value = _sliced(writer, starts, ends, steps)
    if not options["ShrinkAxisMask"]:
        return value
    return writer.add("Reshape", value, _whole(writer.result_shape))


def _split(writer: Writer, operator: Operator) -> list[str]:
    (axis,) = writer.numbers(0, "its axis")
    return writer.add_many("Split", len(operator.outputs), writer.given(1), axis=axis)


def _split_v(writer: Writer, operator: Operator) -> list[str]:
    (axis,), sizes = writer.numbers(2, "its axis"), writer.numbers(1, "its sizes")
    return writer.add_many(
        "Split", len(operator.outputs), writer.given(0), _whole(sizes), axis=axis
    )


def _gather(writer: Writer, operator: Operator) -> str:
    if operator.options["BatchDims"]:
        msg = "gathers other elements in each image"
        raise CannotConvert(msg, "gather the same ones")
    index = _whole(writer.array(1, "its indices").tolist())
    return writer.add("Gather", writer.given(0), index, axis=operator.options["Axis"])


def _blocks(writer: Writer, operator: Operator) -> str:
    op = {"DEPTH_TO_SPACE": "DepthToSpace", "SPACE_TO_DEPTH": "SpaceToDepth"}[operator.op]
    image = writer.first(writer.given(0))
    return writer.last(writer.add(op, image, blocksize=operator.options["BlockSize"]))


ARRANGE_RULES: dict[str, Rule] = {
    "CONCATENATION": _concat,
    "DEPTH_TO_SPACE": _blocks,
    "EXPAND_DIMS": _reshape,
    "GATHER": _gather,
    "PAD": _pad,
    "PADV2": _pad,
    "RESHAPE": _reshape,
    "SLICE": _slice,
    "SPACE_TO_DEPTH": _blocks,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SQUEEZE": _reshape,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
}
