"""Operators that work on each element: signs in all spellings, compares, BatchNorm.

On a value that has levels, every one of them only changes the levels. On a float, a sign or compare
gives it levels; what else there is becomes a scale and shift a channel. Activations are in
`rules.activations`, sums and products in `rules.arithmetic`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import TensorProto

from bnas_deploy.converters.from_onnx.read import OnnxNode
from bnas_deploy.converters.from_onnx.rules.activations import on_levels, two_levels
from bnas_deploy.converters.from_onnx.rules.arithmetic import mapped
from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ELEMENTWISE_RULES", "compared"]

_FLOAT_TYPES = {TensorProto.FLOAT}
_WHOLE_TYPES = {
    TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL,
}  # fmt: skip


def _sign(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if flow.levels is not None:
        return on_levels(flow, np.sign)
    if not any(flow.pads):
        # What was clipped, as it is seen here: its axes may have changed places since.
        flow = replace(flow, name=same_sign(imports, flow.name))
    return two_levels(flow, -1, 0, 1)


def same_sign(imports: Importer, value: str) -> str:
    """What a value has the sign of, zero included: a clip around zero, and others, change none."""
    while (node := imports.producer(value)) is not None and node.op == "clip":
        if not ((node.constants["low"] < 0) & (node.constants["high"] > 0)).all():
            break
        value = node.inputs[0]
    return value


def compared(imports: Importer, flow: Flow, bound: Array, op: str, name: str) -> Flow:
    """Return 1 where flow `op` bound holds, (C,), else 0; `op` is an ONNX operator's name."""
    result = imports.affine(flow, np.ones_like(bound), -bound, f"{name}.above")
    if result.levels is not None:
        return on_levels(result, lambda x: _COMPARES[op](x, 0))
    low, mid, high = (float(_COMPARES[op](x, 0)) for x in (-1, 0, 1))
    return two_levels(result, low, mid, high)


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
    return on_levels(flow, lambda x: np.where(x != 0, yes, no))


def _not(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if flow.levels is None:
        msg = "its input is no compare"
        raise CannotConvert(msg, "compare with a constant")
    return on_levels(flow, lambda x: x == 0)


def _cast(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow, kind = imports.flow(inputs[0]), node.attributes.get("to")
    if kind in _FLOAT_TYPES:
        return flow
    if flow.levels is None or kind not in _WHOLE_TYPES:
        msg = "casts to another type than float32"
        raise CannotConvert(msg, "compute in float32")
    return on_levels(flow, (lambda x: x != 0) if kind == TensorProto.BOOL else np.trunc)


def _batch_norm(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    if node.attributes.get("training_mode", 0) or any(node.outputs[1:]):
        msg = "normalises by the batch (training mode)"
        raise CannotConvert(msg, "export in evaluation mode")
    names = ("weight", "bias", "mean", "var")
    arrays = [imports.constant(x, f"its {n}") for x, n in zip(inputs[1:5], names, strict=True)]
    column = (-1,) + (1,) * (len(flow.dims) - 1)
    columns = [array.reshape(column) for array in arrays]
    maps = [flow.per_pixel(array) for array in columns]
    if any(image is not None for image in maps):
        return _flat_batch_norm(imports, node, flow, columns)
    terms = [flow.per_channel(array) for array in columns]
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


def _flat_batch_norm(
    imports: Importer, node: OnnxNode, flow: Flow, columns: Sequence[Array]
) -> Flow:
    """A BatchNorm over the elements of a flattened image: each pixel has terms of its own."""
    eps = float(node.attributes.get("epsilon", 1e-5))
    spread = [flow.spread(array.astype(np.float64)) for array in columns]
    maps = [image for image in spread if image is not None]
    if len(maps) < len(spread) or (maps[3] + eps <= 0).any():
        msg = "its variance is not positive, or a number not finite"
        raise CannotConvert(msg, "train it")
    weight, bias, mean, var = maps
    alpha = weight / np.sqrt(var + eps)
    return mapped(imports, flow, alpha, bias - mean * alpha, node.name)


ELEMENTWISE_RULES = {
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Greater": _compare,
    "GreaterOrEqual": _compare,
    "Less": _compare,
    "LessOrEqual": _compare,
    "Not": _not,
    "Sign": _sign,
    "Where": _where,
}
