"""Operators that work on each element: arithmetic, activations, signs, compares, choices, casts."""

from __future__ import annotations

import torch

from bnas_deploy.converters.from_program.call import ELEMENT_TYPES, Call, Outputs, Rule, Value
from bnas_deploy.converters.operators.types import ElementType
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ELEMENTWISE"]


def _same(op: str) -> Rule:
    def rule(call: Call) -> Outputs:
        return call.emit(op, call["self"])

    return rule


def _of_two(op: str) -> Rule:
    def rule(call: Call) -> Outputs:
        return call.emit(op, call["self"], call["other"])

    return rule


def _sum(op: str) -> Rule:
    """Self + alpha * other, or the difference."""

    def rule(call: Call) -> Outputs:
        other, alpha = call["other"], call["alpha"]
        if alpha != 1 and isinstance(other, Value):
            other = call.emit("Mul", other, float(alpha), label="alpha")
        elif alpha != 1:
            other = other * alpha
        return call.emit(op, call["self"], other)

    return rule


def _quotient(call: Call) -> Outputs:
    if call.given.get("rounding_mode") is not None:
        msg = f"divides and rounds ({call['rounding_mode']})"
        raise CannotConvert(msg, "divide without rounding")
    return call.emit("Div", call["self"], call["other"])


def _bounded(call: Call) -> Outputs:
    names = ("min_val", "max_val") if "min_val" in call.given else ("min", "max")
    low, high = (call[name] for name in names)
    if all(x is None or isinstance(x, int | float) for x in (low, high)):
        return call.emit(
            "Clip", call["self"], *(None if x is None else float(x) for x in (low, high))
        )
    result = call["self"]
    if low is not None:
        result = call.emit("Max", result, low, label="" if high is None else "low")
    return result if high is None else call.emit("Min", result, high)


def _not_equal(call: Call) -> Outputs:
    return call.emit("Not", call.emit("Equal", call["self"], call["other"], label="equal"))


def _power(call: Call) -> Outputs:
    """Whole powers are products."""
    exponent = call["exponent"]
    if exponent not in (1, 2, 3):
        return call.emit("Pow", call["self"], float(exponent))
    x = call["self"]
    if exponent == 1:
        return call.emit("Identity", x)
    return call.emit("Mul", call.emit("Mul", x, x, label="square") if exponent == 3 else x, x)


def _logical(op: str) -> Rule:
    """Of truth values; of other numbers there is no standard operator."""

    def rule(call: Call) -> Outputs:
        given = [call[name] for name in ("self", "other") if name in call.given]
        if not all(_boolean(x) for x in given):
            msg = "works on the bits of numbers"
            raise CannotConvert(msg, "use truth values")
        return call.emit(op, *given)

    return rule


def _boolean(given: object) -> bool:
    if isinstance(given, Value):
        return given.boolean
    return isinstance(given, bool) or (
        isinstance(given, torch.Tensor) and given.dtype == torch.bool
    )


def _cast(call: Call) -> Outputs:
    kind = call.result.dtype
    if kind in (torch.float16, torch.bfloat16):
        call.note(f"computes in {str(kind).removeprefix('torch.')}; the packed one in float32")
        kind = torch.float32
    if kind not in ELEMENT_TYPES:
        msg = f"casts to {kind}"
        raise CannotConvert(msg, "compute in float32")
    return call.emit("Cast", call["self"], to=int(ELEMENT_TYPES[kind]))


def _where(call: Call) -> Outputs:
    return call.emit("Where", call["condition"], call["self"], call["other"])


def _masked_assignment(call: Call) -> Outputs:
    """y[mask] = number."""
    indices, number = call["indices"], call["values"]
    whole = len(indices) == 1 and isinstance(indices[0], Value) and indices[0].boolean
    single = isinstance(number, torch.Tensor) and number.numel() == 1
    if not whole or not single or call["accumulate"] or indices[0].shape != call.shape:
        msg = "assigns to some elements"
        raise CannotConvert(
            msg, "assign one number, by a mask of the same shape; or use torch.where"
        )
    return call.emit("Where", indices[0], number.reshape(()), call["self"])


def _silu(call: Call) -> Outputs:
    return call.emit("Mul", call["self"], call.emit("Sigmoid", call["self"], label="gate"))


def _hard_sigmoid(call: Call) -> Outputs:
    return call.emit("HardSigmoid", call["self"], alpha=1 / 6, beta=0.5)


def _leaky(call: Call) -> Outputs:
    return call.emit("LeakyRelu", call["self"], alpha=float(call["negative_slope"]))


def _prelu(call: Call) -> Outputs:
    slope = call.constant("weight", "its slope")
    assert slope is not None
    rank = len(call.shape)
    column = slope.reshape(-1, *[1] * (rank - 2)) if slope.numel() > 1 else slope
    return call.emit("PRelu", call["self"], column)


def _elu(call: Call) -> Outputs:
    if (call["scale"], call["input_scale"]) != (1, 1):
        msg = "an Elu with scales"
        raise CannotConvert(msg, "use Elu without scales")
    return call.emit("Elu", call["self"], alpha=float(call["alpha"]))


def _gelu(call: Call) -> Outputs:
    return call.emit("Gelu", call["self"], approximate=call["approximate"])


def _softplus(call: Call) -> Outputs:
    if call["beta"] != 1:
        msg = f"a Softplus with beta {call['beta']}"
        raise CannotConvert(msg, "use beta = 1")
    return call.emit("Softplus", call["self"])


def _reciprocal(call: Call) -> Outputs:
    return call.emit("Div", 1.0, call["self"])


def _heaviside(call: Call) -> Outputs:
    """1 above zero, 0 below, and given numbers at zero."""
    above = call.emit("Greater", call["self"], 0.0, label="above")
    number = call.emit("Cast", above, label="number", to=int(ElementType.FLOAT))
    at = call.emit("Equal", call["self"], 0.0, label="at")
    return call.emit("Where", at, call["values"], number)


def _truth(call: Call) -> Outputs:
    """Not x, for numbers: x == 0."""
    if call["self"].boolean:
        return call.emit("Not", call["self"])
    return call.emit("Not", call.emit("Cast", call["self"], label="bool", to=int(ElementType.BOOL)))


ELEMENTWISE: dict[str, Rule] = {
    **{name: _same(op) for name, op in {
        "abs": "Abs", "alias": "Identity", "ceil": "Ceil", "clone": "Identity", "cos": "Cos",
        "detach": "Identity", "erf": "Erf", "exp": "Exp", "floor": "Floor",
        "hardswish": "HardSwish", "lift_fresh_copy": "Identity", "log": "Log", "mish": "Mish",
        "neg": "Neg", "relu": "Relu", "round": "Round", "sigmoid": "Sigmoid", "sign": "Sign",
        "sin": "Sin", "sqrt": "Sqrt", "tanh": "Tanh",
    }.items()},
    **{name: _of_two(op) for name, op in {
        "eq": "Equal", "ge": "GreaterOrEqual", "gt": "Greater", "le": "LessOrEqual", "lt": "Less",
        "maximum": "Max", "minimum": "Min", "mul": "Mul",
    }.items()},
    **{name: _logical(op) for name, op in {
        "bitwise_and": "And", "bitwise_not": "Not", "bitwise_or": "Or", "bitwise_xor": "Xor",
        "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor",
    }.items()},
    "_to_copy": _cast,
    "add": _sum("Add"),
    "clamp": _bounded,
    "convert_element_type": _cast,
    "div": _quotient,
    "elu": _elu,
    "gelu": _gelu,
    "hardsigmoid": _hard_sigmoid,
    "hardtanh": _bounded,
    "heaviside": _heaviside,
    "index_put": _masked_assignment,
    "leaky_relu": _leaky,
    "logical_not": _truth,
    "ne": _not_equal,
    "pow": _power,
    "prelu": _prelu,
    "reciprocal": _reciprocal,
    "silu": _silu,
    "softplus": _softplus,
    "sub": _sum("Sub"),
    "where": _where,
}  # fmt: skip
