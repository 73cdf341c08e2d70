"""Sign(0) = 0 is kept where zeros are no coincidence, and costs nothing where they are."""

from __future__ import annotations

import numpy as np
import pytest
from support.onnx_models import OnnxModel, imported

from bnas_deploy.converters.from_onnx.convert import convert_onnx


def binary_layers(m, x):
    """Two binary layers behind a value of 16 channels, 8 x 8 pixels; the first reads its sign."""
    x = m.add("Conv", m.add("Sign", x), m.signs(16, 16, 3, 3), strides=[2, 2])
    bits = m.add("Where", m.add("GreaterOrEqual", m.norm(x, 16), 0.0), 1.0, -1.0)
    return m.add("MatMul", m.add("Flatten", bits), m.signs(16 * 9, 10))


def digits(m, count=32):
    """Pictures that are black around the middle, of real numbers, whole ones, and 0 and 1."""
    images = np.zeros((count, 1, 16, 16), np.float32)
    images[:, :, 5:11, 6:10] = m.rng.random((count, 1, 6, 4))
    images[count // 3 :] = np.rint(images[count // 3 :] * 255)
    images[2 * count // 3 :] = m.rng.random((count - 2 * count // 3, 1, 16, 16)) > 0.8
    return images


def stem(m, weight, *bias):
    return m.add("Conv", "x", weight, *bias, strides=[2, 2], pads=[1] * 4)


def sums(m):
    x = m.add("Conv", m.add("Sign", stem(m, m.normal(16, 1, 3, 3))), m.signs(16, 16, 1, 1))
    return m.add("Sub", x, 2 * np.ones((16, 1, 1), np.float32))


KEPT = {
    "a layer without bias": lambda m: stem(m, m.normal(16, 1, 3, 3)),
    "a bias of zero": lambda m: stem(m, m.normal(16, 1, 3, 3), np.zeros(16)),
    "weights of whole numbers": lambda m: stem(m, m.signs(16, 1, 3, 3)),
    "scaled weights of whole numbers": lambda m: stem(m, m.signs(16, 1, 3, 3) * np.float32(0.37)),
    "whole numbers less a whole number": lambda m: m.add("Sub", stem(m, m.signs(16, 1, 3, 3)), 3.0),
    "ReLU and a depthwise layer": lambda m: m.add(
        "Conv",
        m.add("Relu", stem(m, m.normal(16, 1, 3, 3), -abs(m.normal(16)))),
        m.normal(16, 1, 3, 3),
        pads=[1] * 4,
        group=16,
    ),
    "two layers": lambda m: m.add(
        "Conv", stem(m, m.normal(16, 1, 3, 3)), m.normal(16, 16, 3, 3), pads=[1] * 4
    ),
    "their sum": lambda m: m.add(
        "Add", stem(m, m.normal(16, 1, 3, 3)), stem(m, m.normal(16, 1, 3, 3))
    ),
    "their product": lambda m: m.add(
        "Mul",
        stem(m, m.normal(16, 1, 3, 3)),
        m.add("Sigmoid", stem(m, m.normal(16, 1, 3, 3) / 100)),
    ),
    "a shift behind a dot product": sums,
}


@pytest.mark.parametrize("made", KEPT)
def test_zeros_are_kept(made, tmp_path):
    m = OnnxModel((1, 16, 16))
    path = m.save(tmp_path, binary_layers(m, KEPT[made](m)))
    result = imported(path, images=digits(m))
    assert any("Sign(0) = 0 is kept in 16 channels" in note for note in result.notes)


COINCIDENCE = {
    "a bias": lambda m: stem(m, m.normal(16, 1, 3, 3), m.normal(16)),
    "a BatchNorm with a shift": lambda m: m.norm(stem(m, m.normal(16, 1, 3, 3)), 16),
    "a BatchNorm behind whole numbers": lambda m: m.norm(stem(m, m.signs(16, 1, 3, 3)), 16),
    "half a pixel": lambda m: stem(m, m.signs(16, 1, 3, 3), np.full(16, 0.5)),
    "two layers with bias": lambda m: m.norm(
        m.add(
            "Conv",
            m.add("Relu", m.norm(stem(m, m.normal(16, 1, 3, 3)), 16)),
            m.normal(16, 16, 3, 3),
            pads=[1] * 4,
        ),
        16,
    ),
    "a residual": lambda m: m.add(
        "Add",
        m.norm(stem(m, m.normal(16, 1, 3, 3)), 16),
        m.norm(m.add("Conv", m.add("Sign", stem(m, m.normal(16, 1, 3, 3))), m.signs(16, 16, 1, 1)),
               16),
    ),
}  # fmt: skip


@pytest.mark.parametrize("made", COINCIDENCE)
def test_coincidences_cost_nothing_and_are_named(made, tmp_path):
    m = OnnxModel((1, 16, 16))
    path = m.save(tmp_path, binary_layers(m, COINCIDENCE[made](m)))
    result = imported(path, images=digits(m))
    kept = [note for note in result.notes if "is kept" in note]
    assert len(kept) == (made == "a residual")  # of the sign inside it
    assert any("Sign(0) counts as +1 in 16 channels" in note for note in result.notes)


@pytest.mark.parametrize("kind", ["gate", "maxout"])
def test_a_value_that_is_read_twice_is_followed_once(kind, tmp_path):
    m = OnnxModel((8, 4, 4))
    x = m.norm("x", 8)
    for _ in range(40):  # 2^40 ways through the graph
        y = m.binary(m.add("Sign", x), 8, 8)
        if kind == "gate":
            gate = m.add("Sigmoid", m.norm(m.add("GlobalAveragePool", x), 8))
            x = m.add("Add", m.add("Mul", y, gate), x)
        else:
            x = m.add("Add", m.add("Mul", y, 0.05), x)
            falling = m.add("Mul", m.add("Relu", m.add("Neg", x)), m.normal(8, 1, 1))
            x = m.add("Sub", m.add("Mul", m.add("Relu", x), m.normal(8, 1, 1)), falling)
        x = m.norm(x, 8)
    path = m.save(tmp_path, m.float_head(x, 8))
    model, _ = convert_onnx(path, allow_float=True, images=0)
    assert [step.OP for step in model.program.steps].count("binary_conv2d") == 40
