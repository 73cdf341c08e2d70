"""Tensors of a .tflite file: their types, and the arrays of those that are constant."""

from __future__ import annotations

import math

import numpy as np
import tflite

from bnas_deploy.converters.from_tflite.file.model import Steps
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT

__all__ = ["KINDS", "constant", "shape_of", "steps_of"]

KINDS = {number: name for name, number in vars(tflite.TensorType).items() if name.isupper()}
"""TensorFlow Lite's names of types."""

_DTYPES = {
    "BOOL": "?", "FLOAT16": "<f2", "FLOAT32": "<f4", "FLOAT64": "<f8", "INT8": "i1",
    "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "UINT8": "u1",
}  # fmt: skip

_RANK_LIMIT = 8


def shape_of(tensor: tflite.Tensor) -> tuple[int, ...]:
    """Return the extents of a tensor.

    Raises:
        ValueError: They are negative, too many, or too large.
    """
    if tensor.ShapeLength() > _RANK_LIMIT:
        msg = f"a tensor of {tensor.ShapeLength():,} dimensions"
        raise ValueError(msg)
    shape = tuple(int(tensor.Shape(i)) for i in range(tensor.ShapeLength()))
    if any(n < 0 for n in shape) or math.prod(shape) > ARRAY_LIMIT:
        msg = f"a tensor of shape {list(shape)}"
        raise ValueError(msg)
    return shape


def steps_of(tensor: tflite.Tensor, kind: str) -> Steps | None:
    """Return what the numbers of a tensor stand for, if one scale says so.

    Raises:
        ValueError: The scale is not a positive number.
    """
    scales, zeros = _scales(tensor)
    if kind not in ("INT8", "INT16", "UINT8") or not scales.size:
        return None
    if scales.size > 1:
        msg = "a computed tensor with a scale for each channel"
        raise ValueError(msg)
    numbers = np.iinfo(_DTYPES[kind])
    return Steps(float(scales[0]), int(zeros[0]), numbers.min, numbers.max)


def constant(tensor: tflite.Tensor, buffer: tflite.Buffer, kind: str) -> Array:
    """Return what a constant tensor holds, as reals where it has a scale.

    Raises:
        ValueError: Its type is not known, or its bytes do not fit its shape.
    """
    if kind not in _DTYPES or tensor.Sparsity() is not None:
        what = "sparse" if kind in _DTYPES else f"of the type {kind}"
        msg = f"a constant that is {what} is not understood"
        raise ValueError(msg)
    shape = shape_of(tensor)
    array = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[kind])
    if array.size != math.prod(shape):
        msg = f"{array.size:,} numbers for the shape {list(shape)}"
        raise ValueError(msg)
    array = array.reshape(shape)
    array = array.astype(np.float32) if array.dtype.kind == "f" else array
    scales, zeros = _scales(tensor)
    if array.dtype.kind in "iu" and scales.size:
        array = _reals(array, scales, zeros, tensor.Quantization().QuantizedDimension())
    if array.dtype.kind == "f" and np.isnan(array).any():
        msg = "a constant holds NaN; is the model trained?"
        raise ValueError(msg)
    return array


def _scales(tensor: tflite.Tensor) -> tuple[Array, Array]:
    """Scales and zero points, as many of each; empty where there are none."""
    found = tensor.Quantization()
    if found is None or not found.ScaleLength():
        return np.zeros(0, np.float32), np.zeros(0, np.int64)
    scales = np.array(found.ScaleAsNumpy(), np.float32)
    zeros = np.zeros(scales.size, np.int64)
    if found.ZeroPointLength():
        zeros = np.broadcast_to(np.array(found.ZeroPointAsNumpy(), np.int64), scales.shape)
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        msg = "a scale that is not a positive number"
        raise ValueError(msg)
    return scales, zeros


def _reals(array: Array, scales: Array, zeros: Array, axis: int) -> Array:
    if scales.size > 1:
        column = [1] * array.ndim
        column[axis] = scales.size
        scales, zeros = scales.reshape(column), zeros.reshape(column)
    return np.asarray((array - zeros) * scales, np.float32)
