"""Sums, differences, products and quotients, of a value and a constant or of two values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.operators.model import OperatorNode
from bnas_deploy.converters.operators.rules.arrange import repeats
from bnas_deploy.converters.operators.rules.broadcast import alike
from bnas_deploy.converters.signs.adding import added, settled
from bnas_deploy.converters.signs.binary_layers import floats
from bnas_deploy.converters.signs.flow import Flow, Levels
from bnas_deploy.converters.signs.importer import Importer
from bnas_deploy.converters.signs.levels import on_levels, two_levels
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.rising import Rising

__all__ = ["ARITHMETIC_RULES", "STEEP", "mapped", "product", "softsign"]

STEEP = 1e6
"""From this factor on, Clip(factor * x, -1, 1) is taken for a sign."""


TINY = 1e-6
"""Up to here, x / (|x| + TINY) is taken for a sign."""


def _arithmetic(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    x, y = (settled(imports, value) for value in inputs)
    if isinstance(x, Flow) and isinstance(y, Flow):
        return _of_two(imports, node, x, y)
    if not isinstance(x, Flow) and not isinstance(y, Flow):  # the same for every image
        x = inputs[0] if isinstance(inputs[0], Flow) else x
        y = inputs[1] if not isinstance(x, Flow) else y
    flow = x if isinstance(x, Flow) else imports.flow(y)
    operand = imports.constant(y if isinstance(x, Flow) else x, "its operand")
    image = flow.per_pixel(operand)
    if image is not None:
        return _with_map(imports, node, flow, image, isinstance(x, Flow))
    constant = flow.per_channel(operand)
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


def _with_map(
    imports: Importer, node: OperatorNode, flow: Flow, image: Array, flow_first: bool
) -> Flow:
    """A value and a constant (C, H, W)."""
    ones = np.ones(flow.channels)
    if node.op == "Add":
        return mapped(imports, flow, None, image, node.name)
    if node.op == "Sub":
        if not flow_first:
            flow = imports.affine(flow, -ones, 0 * ones, f"{node.name}.minus")
        return mapped(imports, flow, None, -image if flow_first else image, node.name)
    if node.op == "Div":
        if not flow_first:
            msg = "divides by a computed value"
            raise CannotConvert(msg, "multiply by a constant")
        with np.errstate(divide="ignore"):
            image = 1 / image
    return mapped(imports, flow, image, None, node.name)


def mapped(
    imports: Importer, flow: Flow, factor: Array | None, addend: Array | None, name: str
) -> Flow:
    """Return flow * factor + addend, (C, H, W) each or None, as products and sums of values.

    Raises:
        CannotConvert: A constant is infinite.
    """
    result = floats(imports, flow, f"{name}.x")
    for op, image in (("multiply", factor), ("add", addend)):
        if image is None:
            continue
        if not np.isfinite(image).all():
            msg = "its constant is infinite, or zero to divide by"
            raise CannotConvert(msg, "check the model")
        alike = op == "multiply" and (image == image[:1]).all()
        value = {"value": image[:1] if alike else image}
        constant = imports.node("constant", f"{name}.constant", (), {}, value)
        if op == "add":
            result = added(imports, result, result.of(constant), name)
        else:
            result = result.of(imports.node(op, name, (result.name, constant)))
    return result


def _of_two(imports: Importer, node: OperatorNode, x: Flow, y: Flow) -> Flow:
    if node.op == "Mul":
        return product(imports, x, y, node.name)
    if node.op == "Div":
        return _ratio(imports, node, x, y)
    x, y = alike(imports, x, y, node.name)
    return added(imports, x, y, node.name, 1.0 if node.op == "Add" else -1.0)


def product(imports: Importer, x: Flow, y: Flow, name: str) -> Flow:
    """Two values, or one and a factor of one channel or pixel: scales, masks, gates (SE-ResNet)."""
    same = (x.name, x.dims, x.order, x.pads) == (y.name, y.dims, y.order, y.pads)
    if same and x.levels is not None and y.levels is not None and not any(x.pads):
        each = zip(x.levels.all, y.levels.all, strict=True)
        return replace(x, levels=Levels(*(p * q for p, q in each)))
    if y.name in imports.expanded and x.dims == y.dims:
        y = imports.expanded[y.name]
    x, factor = (x, y) if math.prod(y.shape) <= math.prod(x.shape) else (y, x)
    if x.dims == factor.dims and not repeats(x, factor):
        x, factor = alike(imports, x, factor, name)
    if not repeats(x, factor):
        msg = f"multiplies values of shapes {list(x.dims)} and {list(factor.dims)}"
        raise CannotConvert(msg, "a factor must have one channel or as many, and one pixel or all")
    x.need_bare()
    factor.need_bare()
    a, b = floats(imports, x, f"{name}.a"), floats(imports, factor, f"{name}.b")
    return a.of(imports.node("multiply", name, (a.name, b.name)))


def _ratio(imports: Importer, node: OperatorNode, x: Flow, y: Flow) -> Flow:
    """X / |x|, and x / (|x| + eps), are signs; no other ratio of two values is understood."""
    size, eps = _without_eps(imports, y.name)
    same = (x.dims, x.order, x.pads) == (y.dims, y.order, y.pads)
    bare = x.levels is None and y.levels is None and not any(x.pads)
    if not (same and bare and imports.magnitudes.get(size) == x.name and eps <= TINY):
        msg = f"divides values of shapes {list(x.dims)} and {list(y.dims)}"
        odd = same and bare and imports.magnitudes.get(size) == x.name
        rising = None
        if odd and y.name in imports.sums and eps > 0:  # x / (eps + |x|)
            rising = Rising(x.name, lambda a: softsign(a, eps), lambda b: eps * b / (1 - abs(b)))
        raise CannotConvert(msg, "only x / |x| is understood; multiply by a constant", rising)
    zero = "which is not a number at 0, counts as +1 there" if eps == 0 else "counts as Sign"
    imports.note(f"{node.name}: x / |x| {zero}", x.name)
    return two_levels(x, -1, 1 if eps == 0 else 0, 1)


def softsign(x: Array, eps: float = 1.0) -> Array:
    """X / (eps + |x|)."""
    x = np.clip(x, -MOST, MOST)
    return np.asarray(x / (eps + np.abs(x)))


MOST = 1e300
"""In place of infinity, which has no ratio to itself."""


def _without_eps(imports: Importer, value: str) -> tuple[str, float]:
    """What a small number was added to, or what was kept above one; and the number."""
    node = imports.producer(value)
    if node is not None and node.op == "clip" and not np.isfinite(node.constants["high"]).any():
        return node.inputs[0], float(np.abs(node.constants["low"]).max())
    total = imports.sums.get(value)
    if total is None or len(total.floats) != 1 or total.signs:
        return value, 0.0
    ((name, (coefficient, _)),) = total.floats.items()
    least = float(np.abs(total.constant).max())
    return (name, least) if (coefficient == 1).all() else (value, 0.0)


def _sum(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    total = inputs[0]
    for part in inputs[1:]:
        total = _arithmetic(imports, replace(node, op="Add"), (total, part))
    return imports.flow(total)


def _power(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    """Whole powers, as products."""
    flow, exponent = imports.flow(inputs[0]), imports.constant(inputs[1], "its exponent")
    power = float(exponent.reshape(-1)[0]) if exponent.size == 1 else np.nan
    if flow.levels is not None and exponent.size == 1:
        with np.errstate(all="ignore"):
            result = on_levels(flow, lambda x: np.power(x, power))
        if result.levels is not None and np.isfinite(result.levels.all).all():
            return result
    if power not in range(1, HIGHEST + 1):
        msg = f"raises to the power of {power:g}"
        raise CannotConvert(msg, f"whole powers from 1 to {HIGHEST} are understood")
    result = flow
    for k in range(2, int(power) + 1):
        result = product(imports, result, flow, f"{node.name}.{k}")
    if power % 2 and power > 1 and not any(flow.pads):
        root = Rising(flow.name, lambda x: x**power, lambda y: np.sign(y) * abs(y) ** (1 / power))
        imports.rising.setdefault(result.name, root)
    return result


HIGHEST = 4
"""Of powers that are products."""


def _negative(imports: Importer, node: OperatorNode, inputs: Sequence[Any]) -> Flow:
    flow = imports.flow(inputs[0])
    ones = np.ones(flow.channels)
    return imports.affine(flow, -ones, 0 * ones, node.name)


ARITHMETIC_RULES = {
    "Add": _arithmetic,
    "Div": _arithmetic,
    "Mul": _arithmetic,
    "Neg": _negative,
    "Pow": _power,
    "Sub": _arithmetic,
    "Sum": _sum,
}
