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


SPELLINGS |= {
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


@pytest.mark.parametrize("bias", [None, 0.5])
def test_a_dot_product_that_can_be_zero(bias, tmp_path):
    m = OnnxModel((4, 5, 6))  # an even number of weights, and no BatchNorm between
    x = m.add("Conv", m.add("Sign", m.norm("x", 4)), m.signs(8, 4, 3, 3), pads=[1] * 4)
    if bias is not None:
        x = m.add("Add", x, bias)
    x = m.binary(m.add("Sign", x), 8, 8)
    result = imported(m.save(tmp_path, m.float_head(x, 8)))
    doubled = [s for s in result.model.program.steps if s.OP == "select_channels"]
    assert len(doubled) == (1 if bias is None else 0)
    assert any("Sign(0) = 0 is kept" in note for note in result.notes) is (bias is None)


def test_an_odd_dot_product_is_never_zero(tmp_path):
    m = OnnxModel((5, 5, 6))
    x = m.add("Conv", m.add("Sign", m.norm("x", 5)), m.signs(8, 5, 3, 3))
    x = m.binary(m.add("Sign", x), 8, 8)
    result = imported(m.save(tmp_path, m.float_head(x, 8)))
    assert "select_channels" not in steps(result)
    # The first sign reads floats; of the second it is proven.
    assert [note.split(":")[1] for note in result.notes] == [" Sign(0) counts as +1 in 5 channels"]
    assert steps(result)[:3] == ["binarize", "binary_conv2d", "binary_conv2d"]


def test_what_sign_zero_says_is_done(tmp_path):
    m = OnnxModel()
    x = m.binary(m.add("Sign", m.add("Relu", m.norm("x", 6))), 6, 5)
    path = m.save(tmp_path, m.float_head(x, 5))
    assert "select_channels" in steps(imported(path))
    assert "select_channels" in steps(imported(path, sign_zero="exact"))
    with pytest.raises(AssertionError):
        imported(path, sign_zero="plus")


@pytest.mark.parametrize("pads", [0, 2])
def test_levels_of_the_padding_of_a_convolution_are_zero(pads, tmp_path):
    m = OnnxModel()
    bits = m.add("Cast", m.add("Greater", m.norm("x", 6), 0.0), to=TensorProto.FLOAT)
    result = imported(m.save(tmp_path, m.float_head(m.binary(bits, 6, 5, pad=pads), 5)))
    assert "binary_conv2d" in steps(result)


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_bipolar_quantizers_of_qonnx(scale, tmp_path):
    m, domain = OnnxModel(), "qonnx.custom_op.general"
    x = m.add("BipolarQuant", m.norm("x", 6), scale, domain=domain)
    weight = m.add("BipolarQuant", m.normal(5, 6, 3, 3), 0.7, domain=domain)
    x = m.add("Conv", x, weight)
    x = m.add("BipolarQuant", m.norm(x, 5), 1.0, domain=domain)
    x = m.add("Flatten", m.add("MaxPool", x, kernel_shape=[5, 3]))
    y = m.add("MatMul", x, m.signs(5, 4))
    result = imported(m.save(tmp_path, y, domains=[domain]), allow_float=False)
    assert steps(result).count("binary_conv2d") == 2


def test_thresholds_of_finn(tmp_path):
    m, domain = OnnxModel(), "finn.custom_op.general"
    bipolar = {"out_scale": 2.0, "out_bias": -1.0, "out_dtype": "BIPOLAR"}
    x = m.add("MultiThreshold", "x", m.normal(6, 1), domain=domain, **bipolar)
    x = m.add("Conv", x, m.signs(8, 6, 3, 3))
    x = m.add("MultiThreshold", x, m.normal(8, 1), domain=domain, **bipolar)
    x = m.add("Conv", x, m.signs(4, 8, 5, 3))
    path = m.save(tmp_path, m.add("Flatten", x), domains=[domain])
    assert steps(imported(path, allow_float=False)) == ["binarize", *["binary_conv2d"] * 2]


ZEROS = {
    "PRelu without a slope": lambda m, x: m.add("PRelu", x, np.array([0, 1] * 4).reshape(8, 1, 1)),
    "plus a constant": lambda m, x: m.add("Add", x, m.rng.integers(-1, 2, (8, 5, 6)).astype("f4")),
    "plus another": lambda m, x: m.add(
        "Add", x, m.add("Conv", m.add("Sign", m.norm("x", 3)), m.signs(8, 3, 1, 1))
    ),
    "their mean": lambda m, x: m.add("AveragePool", x, kernel_shape=[1, 2]),
}


@pytest.mark.parametrize("sums", ZEROS)
def test_what_odd_dot_products_add_up_to_can_be_zero(sums, tmp_path):
    m = OnnxModel((3, 5, 6))
    x = m.add("Conv", m.add("Sign", m.norm("x", 3)), m.signs(8, 3, 1, 1))
    x = m.add("Flatten", m.add("Sign", ZEROS[sums](m, x)))
    pixels = 25 if sums == "their mean" else 30
    result = imported(m.save(tmp_path, m.add("Gemm", x, m.signs(8 * pixels, 4))))
    assert any("is kept" in note for note in result.notes)
