"""Sums, differences, products and quotients, of a value and a constant or of two values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.onnx_binary import floats
from bnas_deploy.converters.onnx_errors import CannotConvert
from bnas_deploy.converters.onnx_flow import Flow
from bnas_deploy.converters.onnx_importer import Importer
from bnas_deploy.converters.onnx_read import OnnxNode

__all__ = ["ARITHMETIC_RULES", "STEEP"]

STEEP = 1e6
"""From this factor on, Clip(factor * x, -1, 1) is taken for a sign."""


def _arithmetic(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    x, y = inputs
    if isinstance(x, Flow) and isinstance(y, Flow):
        return _of_two(imports, node, x, y)
    flow = x if isinstance(x, Flow) else imports.flow(y)
    constant = flow.per_channel(imports.constant(y if isinstance(x, Flow) else x, "its operand"))
    ones = np.ones(flow.channels)
    alpha, beta = ones, 0 * ones
    if node.op == "Mul":
        alpha = constant
    elif node.op == "Add":
        beta = constant
    elif node.op == "Sub":
        alpha, beta = (ones, -constant) if isinstance(x, Flow) else (-ones, constant)
    elif isinstance(x, Flow):
        with np.errstate(divide="ignore"):
            alpha = 1 / constant
    else:
        msg = "divides by a computed value"
        raise CannotConvert(msg, "multiply by a constant")
    if not (np.isfinite(alpha).all() and np.isfinite(beta).all()):
        msg = "its constant is infinite, or zero to divide by"
        raise CannotConvert(msg, "check the model")
    result = imports.affine(flow, alpha, beta, node.name)
    if (alpha >= STEEP).all() and result.levels is None:
        imports.steep[result.name] = flow
    return result


def _of_two(imports: Importer, node: OnnxNode, x: Flow, y: Flow) -> Flow:
    if node.op not in ("Add", "Sub"):
        return _multiplied(imports, node, x, y)
    x.need_bare()
    y.need_bare()
    if x.shape != y.shape or x.dims != y.dims or x.last != y.last:
        msg = f"adds values of shapes {list(x.dims)} and {list(y.dims)}"
        raise CannotConvert(msg, "make them equal")
    a = floats(imports, x, f"{node.name}.a")
    b = floats(imports, y, f"{node.name}.b")
    if node.op == "Sub":
        ones = np.ones(b.channels)
        b = imports.affine(b, -ones, 0 * ones, f"{node.name}.minus")
    return a.of(imports.node("add", node.name, (a.name, b.name)))


def _multiplied(imports: Importer, node: OnnxNode, x: Flow, y: Flow) -> Flow:
    """A value times an image of one channel, such as XNOR-Net's scale of activations."""
    x, factor = (x, y) if y.channels == 1 else (y, x)
    fits = factor.channels == 1 and factor.shape[1:] == x.shape[1:] and x.image and factor.image
    if node.op != "Mul" or not fits:
        msg = "multiplies or divides two computed values"
        raise CannotConvert(msg, "a factor must be constant, or have one channel")
    x.need_bare()
    factor.need_bare()
    a = floats(imports, x, f"{node.name}.a")
    b = floats(imports, factor, f"{node.name}.b")
    return a.of(imports.node("multiply", node.name, (a.name, b.name)))


def _sum(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    total = inputs[0]
    for part in inputs[1:]:
        total = _arithmetic(imports, replace(node, op="Add"), (total, part))
    return imports.flow(total)


def _negative(imports: Importer, node: OnnxNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    ones = np.ones(flow.channels)
    return imports.affine(flow, -ones, 0 * ones, node.name)


ARITHMETIC_RULES = {
    "Add": _arithmetic,
    "Div": _arithmetic,
    "Mul": _arithmetic,
    "Neg": _negative,
    "Sub": _arithmetic,
    "Sum": _sum,
}
