"""Operators that work on each element: signs in all spellings, BatchNorm, activations.

On a value that has levels, every one of them only changes the levels. On a float, a sign or compare
gives it levels; what else there is becomes a scale and shift a channel, or ReLUs. Sums and products
are in `onnx_arithmetic`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import TensorProto

from bnas_deploy.converters.graph import Array
from bnas_deploy.converters.onnx_arithmetic import STEEP
from bnas_deploy.converters.onnx_errors import CannotConvert
from bnas_deploy.converters.onnx_flow import Flow, Levels
from bnas_deploy.converters.onnx_importer import Importer
from bnas_deploy.converters.onnx_read import OnnxNode

__all__ = ["ELEMENTWISE_RULES", "compared", "relu"]

_FLOAT_TYPES = {TensorProto.FLOAT}
_WHOLE_TYPES = {
    TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL,
}  # fmt: skip


def _on_levels(flow: Flow, function: Callable[[Array], Array]) -> Flow:
    assert flow.levels is not None
    return flow.with_levels(function, flow.levels.mapped(function))


def _two_levels(flow: Flow, low: float, mid: float, high: float) -> Flow:
    """A float as a function of its sign."""

    def function(x: Array) -> Array:
        return np.where(x > 0, high, np.where(x < 0, low, mid))

    ones = np.ones(flow.channels)
    return flow.with_levels(function, Levels(low * ones, mid * ones, high * ones))


def _sign(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if flow.levels is not None:
        return _on_levels(flow, np.sign)
    clip = imports.clipped(flow.name)
    if clip is not None and clip[1] < 0 < clip[2] and not any(flow.pads):
        flow = clip[0]
        if flow.levels is not None:
            return _on_levels(flow, np.sign)
    return _two_levels(flow, -1, 0, 1)


def compared(imports: Importer, flow: Flow, bound: Array, op: str, name: str) -> Flow:
    """Return 1 where flow `op` bound holds, (C,), else 0; `op` is an ONNX operator's name."""
    result = imports.affine(flow, np.ones_like(bound), -bound, f"{name}.above")
    if result.levels is not None:
        return _on_levels(result, lambda x: _COMPARES[op](x, 0))
    low, mid, high = (float(_COMPARES[op](x, 0)) for x in (-1, 0, 1))
    return _two_levels(result, low, mid, high)


_COMPARES: dict[str, Callable[..., Any]] = {
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
}
_MIRRORED = {
    "Greater": "Less", "GreaterOrEqual": "LessOrEqual",
    "Less": "Greater", "LessOrEqual": "GreaterOrEqual",
}  # fmt: skip


def _compare(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    x, y = inputs
    if isinstance(x, Flow) and isinstance(y, Flow):
        msg = "compares two computed values"
        raise CannotConvert(msg, "compare with a constant")
    op = node.op if isinstance(x, Flow) else _MIRRORED[node.op]
    flow, bound = (x, y) if isinstance(x, Flow) else (y, x)
    bound = flow.per_channel(bound)
    if not np.isfinite(bound).all():
        msg = "compares with infinity"
        raise CannotConvert(msg, "give the constant a finite value")
    return compared(imports, flow, bound, op, node.name)


def _where(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0], "its condition")
    if flow.levels is None or isinstance(inputs[1], Flow) or isinstance(inputs[2], Flow):
        msg = "chooses between computed values"
        raise CannotConvert(msg, "choose between two constants")
    yes, no = flow.per_channel(inputs[1]), flow.per_channel(inputs[2])
    if not (np.isfinite(yes).all() and np.isfinite(no).all()):
        msg = "chooses infinity"
        raise CannotConvert(msg, "choose between finite constants")
    return _on_levels(flow, lambda x: np.where(x != 0, yes, no))


def _not(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if flow.levels is None:
        msg = "its input is no compare"
        raise CannotConvert(msg, "compare with a constant")
    return _on_levels(flow, lambda x: x == 0)


def _cast(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow, kind = imports.flow(inputs[0]), node.attributes.get("to")
    if kind in _FLOAT_TYPES:
        return flow
    if flow.levels is None or kind not in _WHOLE_TYPES:
        msg = "casts to another type than float32"
        raise CannotConvert(msg, "compute in float32")
    return _on_levels(flow, (lambda x: x != 0) if kind == TensorProto.BOOL else np.trunc)


def _batch_norm(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if node.attributes.get("training_mode", 0) or any(node.outputs[1:]):
        msg = "normalises by the batch (training mode)"
        raise CannotConvert(msg, "export in evaluation mode")
    names = ("weight", "bias", "mean", "var")
    arrays = [imports.constant(x, f"its {n}") for x, n in zip(inputs[1:5], names, strict=True)]
    column = (-1,) + (1,) * (len(flow.dims) - 1)
    terms = [flow.per_channel(array.reshape(column)) for array in arrays]
    eps = float(node.attributes.get("epsilon", 1e-5))
    if (terms[3] + eps <= 0).any() or not all(np.isfinite(t).all() for t in terms):
        msg = "its variance is not positive, or a number not finite"
        raise CannotConvert(msg, "train it")
    simple = flow.levels is None and not any(flow.pads) and not imports.made_affine(flow.name)
    if not simple:
        alpha = terms[0] / np.sqrt(terms[3] + eps)
        return imports.affine(flow, alpha, terms[1] - terms[2] * alpha, node.name)
    constants = dict(zip(names, terms, strict=True))
    return flow.of(imports.node("batch_norm", node.name, (flow.name,), {"eps": eps}, constants))


def relu(imports: Importer, value: str, name: str) -> str:
    """Append max(value, 0)."""
    return imports.node("relu", name, (value,))


def _relu(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])

    def function(x: Array) -> Array:
        return np.maximum(x, 0)

    if flow.levels is not None:
        return _on_levels(flow, function)
    result = replace(flow, fill=flow.filled(function))
    return replace(result, name=relu(imports, flow.name, node.name))


def _prelu(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    """PRelu(x) = ReLU(x) - slope * ReLU(-x), each side exact."""
    flow = imports.flow(inputs[0])
    slope = np.full(flow.channels, float(node.attributes.get("alpha", 0.01)))
    if node.op == "PRelu":
        slope = flow.per_channel(imports.constant(inputs[1], "its slope"))

    def function(x: Array) -> Array:
        return np.where(x > 0, x, slope * x)

    if flow.levels is not None:
        return _on_levels(flow, function)
    value = _difference(imports, flow, slope, node.name)
    return replace(flow, name=value, fill=flow.filled(function))


def _difference(imports: Importer, flow: Flow, slope: Array | float, name: str) -> str:
    """ReLU(x) - slope * ReLU(-x)."""
    up = relu(imports, flow.name, f"{name}.up")
    down = relu(imports, imports.beside(flow.name, -1, 0, f"{name}.minus"), f"{name}.down")
    down = imports.beside(down, -slope, 0, f"{name}.slope")
    return imports.node("add", name, (up, down))


def _clip(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    low, high = _bounds(imports, node, inputs)

    def function(x: Array) -> Array:
        return np.clip(x, low, high)

    if flow.levels is not None:
        return _on_levels(flow, function)
    steep = imports.steep.get(flow.name)
    if (low, high) == (-1, 1) and steep is not None and not any(flow.pads):
        imports.notes.append(f"{node.name}: Clip of x times {STEEP:g} or more counts as Sign")
        return _two_levels(steep, -1, 0, 1)
    if low > 0 or high < 0 or low >= high:
        msg = f"clips to {low} to {high}"
        raise CannotConvert(msg, "clip to a range around 0")
    value = _clipped(imports, flow, low, high, node.name)
    result = replace(flow, name=value, fill=flow.filled(function))
    imports.remember_clip(value, flow, low, high)
    return result


def _bounds(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> tuple[float, float]:
    bounds = []
    for place, default in ((1, -np.inf), (2, np.inf)):
        given = inputs[place] if len(inputs) > place else None
        array = np.array(default) if given is None else imports.constant(given, "its bound")
        bounds.append(float(array.reshape(())))
    return bounds[0], bounds[1]


def _extreme(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    """Max and Min of a value and a constant are half a Clip."""
    if len(inputs) != 2 or all(isinstance(x, Flow) for x in inputs):
        msg = "compares computed values"
        raise CannotConvert(msg, "compare with one constant")
    x, y = inputs if isinstance(inputs[0], Flow) else reversed(inputs)
    if y.size != 1:
        msg = "its bound has several numbers"
        raise CannotConvert(msg, "use one number")
    bounds = (y, None) if node.op == "Max" else (None, y)
    return _clip(imports, node, (x, *bounds))


def _clipped(imports: Importer, flow: Flow, low: float, high: float, name: str) -> str:
    """Each side of zero is a ReLU, less the ReLU of what goes beyond the bound."""
    up = _up_to(imports, flow.name, high, f"{name}.up")
    if low == 0:
        return up
    minus = imports.beside(flow.name, -1, 0, f"{name}.minus")
    down = imports.beside(_up_to(imports, minus, -low, f"{name}.down"), -1, 0, f"{name}.turned")
    return imports.node("add", name, (up, down))


def _up_to(imports: Importer, value: str, bound: float, name: str) -> str:
    """min(ReLU(x), bound)."""
    positive = relu(imports, value, name)
    if np.isinf(bound):
        return positive
    beyond = relu(imports, imports.beside(value, 1, -bound, f"{name}.over"), f"{name}.beyond")
    excess = imports.beside(beyond, -1, 0, f"{name}.excess")
    return imports.node("add", name, (positive, excess))


def _absolute(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if flow.levels is not None:
        return _on_levels(flow, np.abs)
    value = _difference(imports, flow, -1.0, node.name)
    imports.magnitudes[value] = flow.name
    return replace(flow, name=value, fill=flow.filled(np.abs))


ELEMENTWISE_RULES = {
    "Abs": _absolute,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Greater": _compare,
    "GreaterOrEqual": _compare,
    "LeakyRelu": _prelu,
    "Less": _compare,
    "LessOrEqual": _compare,
    "Max": _extreme,
    "Min": _extreme,
    "Not": _not,
    "PRelu": _prelu,
    "Relu": _relu,
    "Sign": _sign,
    "Where": _where,
}
