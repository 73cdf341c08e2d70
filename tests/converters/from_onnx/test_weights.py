"""Weights that are of one magnitude up to a rounding, and levels that are not opposite."""

from __future__ import annotations

import numpy as np
import pytest
from support.onnx_models import OnnxModel, imported, steps

from bnas_deploy.converters.signs.magnitudes import BinaryWeights, binary_weights


def signs_of(m, x):
    return m.add("Where", m.add("GreaterOrEqual", x, 0.0), 1.0, -1.0)


def latent(m, *shape, width=0.1):
    return m.normal(*shape) * np.float32(width)


def estimator(w, f):
    """(s * sign(w) - f(w)) + f(w) with ReActNet's s, in float32 as an exporter computes it."""
    s = np.abs(w).mean(axis=(1, 2, 3), keepdims=True)
    return (s * np.sign(w) - f) + f


WEIGHTS = {
    "clip": lambda w: estimator(w, np.clip(w, -1, 1)),
    "identity": lambda w: estimator(w, w),
    "large latent weights": lambda w: estimator(50 * w, 50 * w),
    "a channel of zeros": lambda w: estimator(w * (np.arange(len(w)) > 0)[:, None, None, None], w),
    "zeros among them": lambda w: estimator(np.where(np.abs(w) < 0.02, 0, w), np.clip(w, -1, 1)),
}


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("groups", [1, 3, 6])
def test_the_rounding_of_a_sum_is_no_second_magnitude(kind, groups, tmp_path):
    m = OnnxModel()
    w = WEIGHTS[kind](latent(m, 9 if groups < 6 else 12, 6 // groups, 3, 3)).astype(np.float32)
    outputs = len(w)
    x = m.add("Conv", signs_of(m, m.norm("x", 6)), w, pads=[1] * 4, group=groups)
    result = imported(m.save(tmp_path, m.head(x, outputs)), allow_float=False)
    assert "conv2d" not in steps(result)
    assert any("up to the rounding of a sum" in note for note in result.notes)


def test_weights_that_differ_by_more_are_float_with_the_deviation(tmp_path):
    m = OnnxModel()
    w = m.signs(9, 6, 3, 3) * np.float32(0.05)
    w[4, 2, 1, 1] *= 1.01
    x = m.add("Conv", signs_of(m, m.norm("x", 6)), w)
    result = imported(m.save(tmp_path, m.head(x, 9)))
    (kept,) = [kept for kept in result.report.kept if kept.op == "conv"]
    assert "they are up to 0.00049 from it" in kept.reason


def test_tiny_weights_are_not_one_magnitude():
    w = np.random.default_rng(0).standard_normal((4, 8, 3, 3)).astype(np.float32) * 1e-8
    assert isinstance(binary_weights(w), float)


def test_what_is_exact_has_no_deviation():
    w = np.random.default_rng(0).choice(np.float32([-0.3, 0, 0.3]), (4, 8, 3, 3))
    found = binary_weights(w)
    assert isinstance(found, BinaryWeights)
    assert found.deviation == 0
    assert (found.scale == np.float32(0.3)).all()
    assert np.array_equal(found.signs * np.float32(0.3), w)


LEVELS = {"opposite": (-1.0, 1.0), "0 and 1": (0.0, 1.0), "AdaBin": (-0.7, 1.3)}


@pytest.mark.parametrize("pads", [0, 1])
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("weights", ["opposite", "AdaBin"])
def test_levels_that_are_not_opposite(weights, levels, groups, pads, tmp_path):
    m = OnnxModel()
    low, high = LEVELS[levels]
    x = m.add("Where", m.add("GreaterOrEqual", m.norm("x", 6), 0.0), high, low)
    w = m.signs(12, 6 // groups, 3, 3) * (m.rng.random((12, 1, 1, 1)) + 0.1)
    if weights == "AdaBin":
        w = w + m.normal(12, 1, 1, 1) * 0.2
    x = m.add("Conv", x, w.astype(np.float32), m.normal(12), pads=[pads] * 4, group=groups)
    result = imported(m.save(tmp_path, m.head(x, 12)), allow_float=False)
    assert "conv2d" not in steps(result)
    assert "grouped_conv2d" not in steps(result)


def test_linear_layers_of_two_levels(tmp_path):
    m = OnnxModel((40,))
    x = m.add("Where", m.add("GreaterOrEqual", m.norm("x", 40), 0.0), 0.9, -0.4)
    w = m.signs(40, 7) * (m.rng.random(7) + 0.1) + m.normal(7) * 0.2
    y = m.add("MatMul", x, w.astype(np.float32))
    assert "linear" not in steps(imported(m.save(tmp_path, y), allow_float=False))
