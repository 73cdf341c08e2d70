"""Signs of values that are exactly zero, levels of any kind, and the quantizers of other tools."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from support.onnx_models import OnnxModel, imported, steps


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
