"""Every spelling of a sign gives the answers that ONNX Runtime gives, and becomes bits."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from support.onnx_models import OnnxModel, imported, steps

SPELLINGS = {
    "Sign": lambda m, x: m.add("Sign", x),
    "Where(GreaterOrEqual)": lambda m, x: m.add(
        "Where", m.add("GreaterOrEqual", x, 0.0), 1.0, -1.0
    ),
    "Where(Greater)": lambda m, x: m.add("Where", m.add("Greater", x, 0.0), 1.0, -1.0),
    "Where(Less)": lambda m, x: m.add("Where", m.add("Less", x, 0.0), -1.0, 1.0),
    "Where(LessOrEqual)": lambda m, x: m.add("Where", m.add("LessOrEqual", x, 0.0), -1.0, 1.0),
    "0 < x": lambda m, x: m.add("Where", m.add("Less", 0.0, x), 1.0, -1.0),
    "Where(Not)": lambda m, x: m.add("Where", m.add("Not", m.add("Less", x, 0.0)), 1.0, -1.0),
    "decreasing": lambda m, x: m.add("Where", m.add("Greater", x, 0.0), -1.0, 1.0),
    "a threshold a channel": lambda m, x: m.add(
        "Where", m.add("GreaterOrEqual", x, m.normal(6, 1, 1)), 1.0, -1.0
    ),
    "2 * Cast(x > 0) - 1": lambda m, x: m.add(
        "Sub",
        m.add("Mul", m.add("Cast", m.add("Greater", x, 0.0), to=TensorProto.FLOAT), 2.0),
        1.0,
    ),
    "Sign(Sign + 0.1)": lambda m, x: m.add("Sign", m.add("Add", m.add("Sign", x), 0.1)),
    "Clip of scaled": lambda m, x: m.add("Clip", m.add("Mul", x, 1e30), -1.0, 1.0),
    "Sign(HardTanh)": lambda m, x: m.add("Sign", m.add("Clip", x, -1.0, 1.0)),
    "Cast to int8 and back": lambda m, x: m.add(
        "Cast", m.add("Cast", m.add("Sign", x), to=TensorProto.INT8), to=TensorProto.FLOAT
    ),
    "0 and 1": lambda m, x: m.add("Cast", m.add("Greater", x, 0.0), to=TensorProto.FLOAT),
    "scaled": lambda m, x: m.add("Mul", m.add("Sign", x), 0.25),
    "-1 and 3": lambda m, x: m.add("Where", m.add("Greater", x, 0.0), 3.0, -1.0),
    "negated": lambda m, x: m.add("Neg", m.add("Sign", x)),
}


def cast(m, x, to=TensorProto.FLOAT):
    return m.add("Cast", x, to=to)


def assigned(m, y, *changes):
    """y[mask] = number, one after the other, as PyTorch's exporters write it."""
    for op, bound, number in changes:
        y = m.add("Where", m.add(op, y, bound), number, y)
    return y


def scattered(m, y, *changes):
    """The same as the exporter from torch.export writes it."""
    for op, bound, number in changes:
        mask = m.add(op, y, bound)
        index = m.add("Transpose", m.add("NonZero", mask), perm=[1, 0])
        flat = m.add("Reshape", mask, m.whole(-1))
        count = m.add("ReduceSum", m.add("Cast", flat, to=TensorProto.INT64), keepdims=1)
        updates = m.add("Reshape", m.add("Expand", number, count), m.whole(-1))
        y = m.add("ScatterND", y, index, updates)
    return y


SPELLINGS |= {
    "scattered where y == 0": lambda m, x: scattered(m, m.add("Sign", x), ("Equal", 0.0, 1.0)),
    "scattered twice": lambda m, x: scattered(
        m, x, ("GreaterOrEqual", 0.0, 1.0), ("Less", 0.0, -1.0)
    ),
    "Where(Sign == 0, 1, Sign)": lambda m, x: m.add(
        "Where", m.add("Equal", m.add("Sign", x), 0.0), 1.0, m.add("Sign", x)
    ),
    "masked_fill(x == 0)": lambda m, x: m.add(
        "Where", m.add("Equal", x, 0.0), -1.0, m.add("Sign", x)
    ),
    "y[y == 0] = 1": lambda m, x: assigned(m, m.add("Sign", x), ("Equal", 0.0, 1.0)),
    "y[y >= 0] = 1; y[y < 0] = -1": lambda m, x: assigned(
        m, x, ("GreaterOrEqual", 0.0, 1.0), ("Less", 0.0, -1.0)
    ),
    "y[y > 0] = 3; y[y < 0] = -1; y[y == 0] = 3": lambda m, x: assigned(
        m, x, ("Greater", 0.0, 3.0), ("Less", 0.0, -1.0), ("Equal", 0.0, 3.0)
    ),
    "Sign of what was half assigned": lambda m, x: m.add(
        "Sign", assigned(m, x, ("GreaterOrEqual", 0.0, 0.3))
    ),
    "zeros; y[x >= 0] = 1; y[x < 0] = -1": lambda m, x: m.add(
        "Where",
        m.add("Less", x, 0.0),
        -1.0,
        m.add("Where", m.add("GreaterOrEqual", x, 0.0), 1.0, 0.0),
    ),
    "chosen twice": lambda m, x: m.add(
        "Where", m.add("Greater", x, 0.0), 1.0, m.add("Where", m.add("Equal", x, 0.0), 1.0, -1.0)
    ),
    "x / |x| + eps": lambda m, x: m.add("Div", x, m.add("Add", m.add("Abs", x), 1e-12)),
    "x / max(|x|, eps)": lambda m, x: m.add(
        "Div", x, m.add("Clip", m.add("Abs", x), np.float32(1e-12))
    ),
    "2 * Round(Clip(x / 2 + 1 / 2)) - 1": lambda m, x: m.add(
        "Sub",
        m.add(
            "Mul",
            m.add(
                "Round", m.add("Clip", m.add("Add", m.add("Mul", x, 0.5), 0.5), 0.0, 1.0)
            ),
            2.0,
        ),
        1.0,
    ),
    "Round(HardSigmoid)": lambda m, x: m.add("Round", m.add("HardSigmoid", x)),
    "Round(Sigmoid)": lambda m, x: m.add("Round", m.add("Sigmoid", x)),
    "Round of 1 to 2": lambda m, x: m.add("Round", m.add("Clip", m.add("Add", x, 1.5), 1.0, 2.0)),
    "Floor(Clip)": lambda m, x: m.add("Floor", m.add("Clip", m.add("Add", x, 1.0), 0.0, 1.0)),
    "Ceil(Clip)": lambda m, x: m.add("Ceil", m.add("Clip", x, 0.0, 1.0)),
    "Tanh of steep": lambda m, x: m.add("Tanh", m.add("Mul", x, 1e30)),
    "Erf of steep": lambda m, x: m.add("Erf", m.add("Mul", x, 1e30)),
    "Sign(Tanh)": lambda m, x: m.add("Sign", m.add("Tanh", x)),
    "Sigmoid > 1/2": lambda m, x: m.add(
        "Where", m.add("Greater", m.add("Sigmoid", m.add("Mul", x, 9.0)), 0.5), 1.0, -1.0
    ),
    "half precision and back": lambda m, x: cast(
        m, m.add("Sign", cast(m, x, TensorProto.FLOAT16)), TensorProto.FLOAT
    ),
    "double and back": lambda m, x: cast(
        m, m.add("Sign", cast(m, x, TensorProto.DOUBLE)), TensorProto.FLOAT
    ),
    "Clip in front of a compare": lambda m, x: m.add(
        "Where", m.add("GreaterOrEqual", m.add("Clip", x, -1.0, 1.0), 0.25), 1.0, -1.0
    ),
    "Max of Min": lambda m, x: m.add("Sign", m.add("Max", m.add("Min", x, 1.0), -1.0)),
    "Min of Max": lambda m, x: m.add(
        "Sign", m.add("Min", m.add("Max", x, -1.0), 2.0)
    ),
    "Sign(3 * x)": lambda m, x: m.add("Sign", m.add("Mul", x, 3.0)),
    "Sign(x / 3)": lambda m, x: m.add("Sign", m.add("Div", x, 3.0)),
    "1 - 2 * (x < 0)": lambda m, x: m.add(
        "Sub", 1.0, m.add("Mul", 2.0, cast(m, m.add("Less", x, 0.0)))
    ),
    "((x >= 0) - 1/2) * 2": lambda m, x: m.add(
        "Mul", m.add("Sub", cast(m, m.add("GreaterOrEqual", x, 0.0)), 0.5), 2.0
    ),
    "(x > 0) - (x <= 0)": lambda m, x: m.add(
        "Sub", cast(m, m.add("Greater", x, 0.0)), cast(m, m.add("LessOrEqual", x, 0.0))
    ),
    "(x > 0) - (x < 0)": lambda m, x: m.add(
        "Sub", cast(m, m.add("Greater", x, 0.0)), cast(m, m.add("Less", x, 0.0))
    ),
    "Not as a number": lambda m, x: m.add(
        "Sub", cast(m, m.add("Not", m.add("Less", x, 0.0))), cast(m, m.add("Less", x, 0.0))
    ),
    "Or": lambda m, x: m.add(
        "Where", m.add("Or", m.add("Greater", x, 0.0), m.add("Equal", x, 0.0)), 1.0, -1.0
    ),
    "And": lambda m, x: m.add(
        "Where",
        m.add("And", m.add("GreaterOrEqual", x, 0.0), m.add("Not", m.add("Equal", x, 0.0))),
        1.0,
        -1.0,
    ),
    "a quantizer of one bit": lambda m, x: m.add(
        "Round", m.add("Div", m.add("Add", m.add("Clip", x, -1.0, 1.0), 1.0), 2.0)
    ),
    "a quantizer that falls": lambda m, x: m.add(
        "Round", m.add("Sub", 1.0, m.add("Clip", x, 0.0, 1.0))
    ),
    "Floor(Clip + 1/2)": lambda m, x: m.add(
        "Floor", m.add("Add", m.add("Clip", x, 0.0, 1.0), 0.5)
    ),
    "Sign(PRelu)": lambda m, x: m.add("Sign", m.add("PRelu", x, 0.25)),
    "Sign(Erf)": lambda m, x: m.add("Sign", m.add("Erf", x)),
    "Sign(Atan(Elu))": lambda m, x: m.add("Sign", m.add("Atan", m.add("Elu", x))),
    "Selu > -0.3": lambda m, x: m.add(
        "Where", m.add("Greater", m.add("Selu", x), -0.3), 1.0, -1.0
    ),
    "Softplus > 1/2": lambda m, x: m.add(
        "Where", m.add("Greater", m.add("Softplus", x), 0.5), 1.0, -1.0
    ),
    "Sign(x / (1 + |x|))": lambda m, x: m.add(
        "Sign", m.add("Div", x, m.add("Add", m.add("Abs", x), 1.0))
    ),
    "Sign(x ^ 3)": lambda m, x: m.add("Sign", m.add("Pow", x, 3.0)),
    "looked up": lambda m, x: m.add(
        "Gather", m.const([-1, 1]), cast(m, m.add("Greater", x, 0.0), TensorProto.INT64)
    ),
    "looked up by lists": lambda m, x: m.add(
        "GatherND",
        m.const([-1, 1]),
        m.add("Unsqueeze", cast(m, m.add("Greater", x, 0.0), TensorProto.INT64), m.whole(-1)),
    ),
    "Xor with a constant": lambda m, x: cast(
        m, m.add("Xor", m.add("Less", x, 0.0), m.const(True, np.bool_))
    ),
    "Xor": lambda m, x: m.add(
        "Where", m.add("Xor", m.add("Greater", x, 0.0), m.add("Equal", x, 0.0)), 1.0, -1.0
    ),
    "Cast to bool": lambda m, x: m.add(
        "Where", cast(m, m.add("Relu", m.add("Sign", x)), TensorProto.BOOL), 1.0, -1.0
    ),
    "another value's compare": lambda m, x: m.add(
        "Where", m.add("GreaterOrEqual", m.add("Mul", x, 2.0), x), 1.0, -1.0
    ),
    "Sign times its square": lambda m, x: m.add(
        "Mul", m.add("Mul", m.add("Sign", x), m.add("Sign", x)), m.add("Sign", x)
    ),
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("zeros", [False, True])
def test_spellings(spelling, zeros, tmp_path):
    m = OnnxModel()
    x = "x" if zeros else m.norm("x", 6)
    x = m.binary(SPELLINGS[spelling](m, x), 6, 9)
    images = m.normal(8, 6, 7, 5)
    if zeros:
        images = np.where(m.rng.random(images.shape) < 0.4, np.float32(0), images)
    result = imported(m.save(tmp_path, m.head(x, 9)), images=images, allow_float=False)
    assert steps(result).count("binary_conv2d") == 2
    assert "conv2d" not in steps(result)


@pytest.mark.parametrize("spelling", [s for s in SPELLINGS if s != "a threshold a channel"])
def test_spellings_of_channels_that_come_last(spelling, tmp_path):
    m = OnnxModel()
    x = m.add("Transpose", m.norm("x", 6), perm=[0, 2, 3, 1])
    x = m.add("Transpose", SPELLINGS[spelling](m, x), perm=[0, 3, 1, 2])
    x = m.add("Conv", x, m.signs(9, 6, 3, 3))
    result = imported(m.save(tmp_path, m.head(x, 9)), allow_float=False)
    assert steps(result).count("binary_conv2d") == 2


def test_weights_that_are_assigned_in_place(tmp_path):
    m = OnnxModel()
    one = cast(m, m.const(1, np.int64))
    weight = scattered(m, m.const(m.normal(9, 6, 3, 3)), ("Less", 0.0, -1.0), ("Greater", 0.0, one))
    x = m.add("Conv", m.add("Sign", m.norm("x", 6)), weight)
    result = imported(m.save(tmp_path, m.head(x, 9)), allow_float=False)
    assert steps(result).count("binary_conv2d") == 2


def test_a_ratio_to_the_magnitude_is_a_sign(tmp_path):
    m = OnnxModel()
    x = m.norm("x", 6)
    result = imported(m.save(tmp_path, m.head(m.binary(m.add("Div", x, m.add("Abs", x)), 6, 9), 9)))
    assert steps(result)[:2] == ["binarize", "binary_conv2d"]
    assert any("not a number at 0" in note for note in result.notes)


CHOICES = {
    "of two floats": lambda m, x: m.add(
        "Where", m.add("Greater", x, 0.0), m.add("Sigmoid", x), m.add("Mul", x, 0.1)
    ),
    "of a float and a number": lambda m, x: m.add("Where", m.add("Less", x, 0.5), x, 2.0),
    "between two bounds": lambda m, x: m.add(
        "Where", m.add("And", m.add("Greater", x, -1.0), m.add("Less", x, 1.0)), x, 0.25
    ),
    "by one of two": lambda m, x: m.add(
        "Where", m.add("Or", m.add("Greater", x, 1.0), m.add("Less", x, -1.0)), 0.0, x
    ),
    "of three levels": lambda m, x: m.add(
        "Where", m.add("Equal", x, 0.0), 0.5, m.add("Where", m.add("Less", x, 0.0), -1.0, 3.0)
    ),
    "Tanh": lambda m, x: m.add("Tanh", x),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_other_choices_are_floats(choice, tmp_path):
    m = OnnxModel()
    y = m.float_head(CHOICES[choice](m, "x"), 6)
    images = np.where(m.rng.random((8, 6, 7, 5)) < 0.4, np.float32(0), m.normal(8, 6, 7, 5))
    imported(m.save(tmp_path, y), images=images)
