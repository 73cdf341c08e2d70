"""Operators that work on each element: casts and BatchNorms, and the table of all of them.

On a value that has levels, every one of them only changes the levels. On a float, a sign or compare
gives it levels; what else there is becomes a scale and shift a channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arithmetic import mapped
from bnas_deploy.converters.operators.rules.choices import CHOICE_RULES
from bnas_deploy.converters.operators.rules.compares import COMPARE_RULES, compared
from bnas_deploy.converters.operators.rules.rounding import ROUNDING_RULES
from bnas_deploy.converters.operators.types import ElementType
from bnas_deploy.converters.signs.flow import Flow
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.levels import on_levels
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ELEMENTWISE_RULES"]

_FLOAT_TYPES = {ElementType.FLOAT, ElementType.DOUBLE}
_WHOLE_TYPES = {
    ElementType.INT8, ElementType.INT16, ElementType.INT32, ElementType.INT64, ElementType.BOOL,
}  # fmt: skip


def _cast(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow, kind = imports.flow(inputs[0]), node.attributes.get("to")
    if kind in _FLOAT_TYPES:
        return flow
    if kind == ElementType.BOOL and flow.levels is None:
        zeros = np.zeros(flow.channels)
        equal = compared(imports, flow, zeros, "Equal", node.name)
        return imports.affine(equal, zeros - 1, zeros + 1, node.name)
    if flow.levels is None or kind not in _WHOLE_TYPES:
        msg = "casts to another type than float32"
        raise CannotConvert(msg, "compute in float32")
    return on_levels(flow, (lambda x: x != 0) if kind == ElementType.BOOL else np.trunc)


def _batch_norm(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
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
    imports: Importer, node: OperatorNode, flow: Flow, columns: Sequence[Array]
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
    **CHOICE_RULES,
    **COMPARE_RULES,
    **ROUNDING_RULES,
}
