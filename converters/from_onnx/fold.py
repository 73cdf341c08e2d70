"""Computes nodes whose inputs are all constants, with NumPy; no node that reads the image.

Only a list of operators, each bounded in what it makes, so that no file can ask for endless work.
A shape that an exporter computes from the image's has `BATCH` in place of the batch size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from bnas_deploy.converters.from_onnx.read import OnnxNode
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["BATCH", "FOLDED", "MISFITS", "axes_of", "fold"]

BATCH = -(2**40)
"""Stands for the batch size in shapes; no arithmetic is done on it."""

MISFITS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)
"""What a node raises whose inputs or attributes are not those of its operator."""

_NUMBERS: dict[str, Callable[..., Any]] = {
    "Abs": np.abs,
    "Add": np.add,
    "Ceil": np.ceil,
    "Equal": np.equal,
    "Floor": np.floor,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Max": lambda *xs: np.maximum.reduce(np.broadcast_arrays(*xs)),
    "Min": lambda *xs: np.minimum.reduce(np.broadcast_arrays(*xs)),
    "Mul": np.multiply,
    "Neg": np.negative,
    "Not": np.logical_not,
    "Reciprocal": lambda x: 1 / x,
    "Round": np.rint,
    "Sign": np.sign,
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Tanh": np.tanh,
    "Where": np.where,
}


def fold(node: OnnxNode, inputs: Sequence[Array | None], opset: int) -> Array:
    """Return what a node makes of constants.

    Args:
        node: Its operator is one of `FOLDED`.
        inputs: Arrays; None where an optional input is left out.
        opset: Of the model.

    Raises:
        CannotConvert: The operator or its attributes are not understood, or it makes too much.
    """
    given = [x for x in inputs if x is not None]
    if node.op in _NUMBERS and any(_has_batch(x) for x in given):
        msg = "computes with the batch size"
        raise CannotConvert(msg, "fix the model's batch size at 1")
    try:
        with np.errstate(all="ignore"):
            result = _folded(node, inputs, opset)
    except (*MISFITS, MemoryError) as error:
        msg = f"cannot be computed: {error}"
        raise CannotConvert(msg, "check the model") from error
    if result.dtype.kind not in "fiub":
        msg = f"makes values of type {result.dtype}"
        raise CannotConvert(msg, "only numbers are understood")
    if result.dtype.kind == "f" and np.isnan(result).any():
        msg = "makes NaN of the model's constants"
        raise CannotConvert(msg, "check the model's weights")
    return result


def axes_of(node: OnnxNode, inputs: Sequence[Any], place: int = 1) -> tuple[int, ...] | None:
    """The axes of a node, an attribute in old opsets and an input in new ones."""
    if "axes" in node.attributes:
        return tuple(int(a) for a in node.attributes["axes"])
    given = inputs[place] if len(inputs) > place else None
    if given is None:
        return None
    if not isinstance(given, np.ndarray):
        msg = "its axes are computed from the image"
        raise CannotConvert(msg, "make them constant")
    return tuple(int(a) for a in given.reshape(-1))


def _has_batch(x: Array) -> bool:
    return x.dtype == np.int64 and bool((x == BATCH).any())


def _folded(node: OnnxNode, inputs: Sequence[Array | None], opset: int) -> Array:
    if node.op in _NUMBERS:
        _bounded(math.prod(np.broadcast_shapes(*(x.shape for x in inputs if x is not None))))
        first = inputs[0]
        result = np.asarray(_NUMBERS[node.op](*inputs))
        keeps = first is not None and node.op not in ("Where",) and result.dtype.kind == "f"
        return result.astype(first.dtype) if keeps and first is not None else result
    return np.asarray(_RULES[node.op](node, inputs, opset))


def _bounded(elements: int) -> None:
    if elements > ARRAY_LIMIT:
        msg = f"{elements:,} elements, more than {ARRAY_LIMIT:,}"
        raise ValueError(msg)


def _constant(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    (kind,) = node.attributes
    value = node.attributes[kind]
    dtypes: Mapping[str, Any] = {
        "value_int": np.int64, "value_ints": np.int64,
        "value_float": np.float32, "value_floats": np.float32,
    }  # fmt: skip
    return np.asarray(value, dtypes.get(kind))


def _cast(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    kind = node.attributes["to"]
    if kind in (TensorProto.STRING, TensorProto.UNDEFINED):
        msg = "a cast to text"
        raise ValueError(msg)
    result: Array = inputs[0].astype(helper.tensor_dtype_to_np_dtype(kind))
    return result


def _clip(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    low, high = ([*inputs, None, None])[1:3]
    x: Array = inputs[0]
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _div(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    x, y = inputs
    _bounded(math.prod(np.broadcast_shapes(x.shape, y.shape)))
    if x.dtype.kind == "f":
        return np.asarray(x / y, x.dtype)
    quotient: Array = np.sign(x) * np.sign(y) * (np.abs(x) // np.abs(y))
    return quotient


def _dequantize(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    x, scale, zero = ([*inputs, None])[:3]
    if scale.ndim > 1 or node.attributes.get("block_size", 0):
        msg = "blocked quantization"
        raise ValueError(msg)
    shape = [1] * x.ndim
    if scale.size > 1:
        shape[node.attributes.get("axis", 1)] = scale.size
    shift = (
        np.int64(0)
        if zero is None
        else zero.astype(np.int64).reshape(shape if zero.size > 1 else ())
    )
    scaled = scale.reshape(shape if scale.size > 1 else ())
    return np.asarray((x.astype(np.int64) - shift).astype(scale.dtype) * scaled)


def _reduce(function: Callable[..., Any]) -> Callable[..., Array]:
    def rule(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
        axes = axes_of(node, inputs)
        if axes is None and node.attributes.get("noop_with_empty_axes", 0):
            return np.asarray(inputs[0])
        keep = bool(node.attributes.get("keepdims", 1))
        return np.asarray(function(inputs[0], axis=axes, keepdims=keep), inputs[0].dtype)

    return rule


def _reshape(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    x, shape = inputs
    extents = [int(n) for n in shape]
    if not node.attributes.get("allowzero", 0):
        extents = [x.shape[i] if n == 0 else n for i, n in enumerate(extents)]
    return np.asarray(x.reshape(extents))


def _expand(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    x, shape = inputs
    extents = np.broadcast_shapes(x.shape, tuple(int(n) for n in shape))
    _bounded(math.prod(extents))
    return np.array(np.broadcast_to(x, extents))


def _constant_of_shape(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    extents = tuple(int(n) for n in inputs[0])
    _bounded(math.prod(extents))
    return np.full(extents, node.attributes.get("value", np.zeros(1, np.float32)).reshape(()))


def _squeeze(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    return np.asarray(np.squeeze(inputs[0], axis=axes_of(node, inputs)))


def _unsqueeze(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    return np.asarray(np.expand_dims(inputs[0], axes_of(node, inputs) or ()))


def _slice(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    x = inputs[0]
    starts, ends, axes, steps = ([*inputs, None, None])[1:5]
    axes = range(len(starts)) if axes is None else [int(a) for a in axes]
    steps = [1] * len(starts) if steps is None else [int(s) for s in steps]
    where = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        where[axis] = slice(int(start), int(end), step)
    return np.asarray(x[tuple(where)])


def _range(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Array:
    start, stop, step = (x.reshape(()) for x in inputs)
    _bounded(max(0, math.ceil((stop - start) / step)))
    return np.arange(start, stop, step)


_RULES: dict[str, Callable[..., Array]] = {
    "Cast": _cast,
    "Clip": _clip,
    "Concat": lambda n, xs, _: np.concatenate(xs, axis=n.attributes["axis"]),
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "DequantizeLinear": _dequantize,
    "Div": _div,
    "Dropout": lambda n, xs, _: xs[0],
    "Expand": _expand,
    "Flatten": lambda n, xs, _: xs[0].reshape(
        math.prod(xs[0].shape[: n.attributes.get("axis", 1)]), -1
    ),
    "Gather": lambda n, xs, _: np.take(xs[0], xs[1], axis=n.attributes.get("axis", 0)),
    "Identity": lambda n, xs, _: xs[0],
    "Pow": lambda n, xs, _: np.asarray(np.power(xs[0], xs[1]), xs[0].dtype),
    "Range": _range,
    "ReduceMax": _reduce(np.max),
    "ReduceMean": _reduce(np.mean),
    "ReduceMin": _reduce(np.min),
    "ReduceSum": _reduce(np.sum),
    "Reshape": _reshape,
    "Shape": lambda n, xs, _: np.array(
        xs[0].shape[n.attributes.get("start", 0) : n.attributes.get("end")], np.int64
    ),
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Transpose": lambda n, xs, _: np.transpose(xs[0], n.attributes.get("perm")),
    "Unsqueeze": _unsqueeze,
    # QONNX: +1 for zero; the scale has one number, or one for each channel.
    "BipolarQuant": lambda n, xs, _: np.where(xs[0] >= 0, 1, -1).astype(xs[0].dtype) * xs[1],
}

FOLDED = frozenset({*_NUMBERS, *_RULES})
"""The operators that are understood where all they read is constant."""
