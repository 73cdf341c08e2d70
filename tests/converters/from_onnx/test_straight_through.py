"""Sums in which terms cancel are what is left, as straight-through estimators are exported."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from support.onnx_models import OnnxModel, imported, steps


def clip(m, x):
    return m.add("Clip", x, -1.0, 1.0)


def polynomial(m, x):
    """ApproxSign of Bi-Real Net, as its authors compute it with masks."""
    masks = [m.add("Cast", m.add("Less", x, t), to=TensorProto.FLOAT) for t in (-1.0, 0.0, 1.0)]
    square, double = m.add("Mul", x, x), m.add("Mul", x, 2.0)
    rest = [m.add("Sub", 1.0, mask) for mask in masks]
    f = m.add("Add", m.add("Neg", masks[0]), m.add("Mul", m.add("Add", square, double), rest[0]))
    f = m.add("Add", m.add("Mul", f, masks[1]), m.add("Mul", m.add("Sub", double, square), rest[1]))
    return m.add("Add", m.add("Mul", f, masks[2]), rest[2])


def difference(m, s, f):
    return m.add("Add", m.add("Sub", s, f), f)


def half_precision(m, s, f):
    f = m.add("Cast", m.add("Cast", f, to=TensorProto.DOUBLE), to=TensorProto.FLOAT)
    return m.add("Add", f, m.add("Neg", m.add("Sub", f, s)))


def weighted(m, s, f):
    part = m.add("Mul", m.add("Sub", s, f), 0.3)
    return m.add("Add", part, m.add("Mul", f, 0.3))


def in_parts(m, s, f):
    parts = [m.add("Mul", f, c) for c in (0.3, 0.7)]
    return m.add("Add", m.add("Add", m.add("Sub", s, f), parts[0]), parts[1])


def with_offsets(m, s, f):
    shifted = m.add("Add", f, 0.25)
    return m.add("Add", m.add("Sub", m.add("Add", s, 0.25), shifted), f)


def nested(m, s, f):
    inner = m.add("Add", m.add("Sub", s, f), f)
    return m.add("Add", f, m.add("Sub", inner, f))


SUMS = {
    "(s - f) + f": difference,
    "f + (s - f)": lambda m, s, f: m.add("Add", f, m.add("Sub", s, f)),
    "s - (f - f)": lambda m, s, f: m.add("Sub", s, m.add("Sub", f, f)),
    "f - (f - s), with casts": half_precision,
    "a * (s - f) + a * f": weighted,
    "(s - f) + 0.3 * f + 0.7 * f": in_parts,
    "offsets": with_offsets,
    "nested": nested,
    "Sum": lambda m, s, f: m.add("Sum", s, m.add("Neg", f), f),
}
SURROGATES = {
    "x": lambda m, x: x,
    "clip": clip,
    "polynomial": polynomial,
    "computed twice": None,
    "an operator that is not understood": lambda m, x: m.add("Softplus", x),
}


@pytest.mark.parametrize("spelling", SUMS)
@pytest.mark.parametrize("surrogate", SURROGATES)
def test_what_cancels_is_gone(spelling, surrogate, tmp_path):
    m = OnnxModel()
    x = m.norm("x", 6)
    s = m.add("Where", m.add("GreaterOrEqual", x, 0.0), 1.0, -1.0)
    if surrogate == "computed twice":
        first, second = polynomial(m, x), polynomial(m, x)
        y = m.add("Add", SUMS[spelling](m, s, first), m.add("Sub", first, second))
    else:
        y = SUMS[spelling](m, s, SURROGATES[surrogate](m, x))
    y = m.binary(y, 6, 9)
    result = imported(m.save(tmp_path, m.head(y, 9)), allow_float=False)
    assert steps(result)[:2] == ["binarize", "binary_conv2d"]
    assert result.report.binary_convolutions == (2, 2)
    assert not result.report.unread
    assert any("cancels" in note for note in result.notes)


def test_exact_zeros_stay(tmp_path):
    m = OnnxModel()
    x = m.binary(difference(m, m.add("Sign", "x"), clip(m, "x")), 6, 9)
    images = np.where(m.rng.random((8, 6, 7, 5)) < 0.4, np.float32(0), m.normal(8, 6, 7, 5))
    result = imported(m.save(tmp_path, m.head(x, 9)), images=images, allow_float=False)
    assert any("is kept" in note for note in result.notes)


def test_what_is_left_may_be_several_terms(tmp_path):
    m = OnnxModel()
    x = m.norm("x", 6)
    f, s = clip(m, x), m.add("Sign", x)
    y = m.add("Add", m.add("Add", m.add("Sub", s, f), m.add("Sigmoid", x)), f)
    result = imported(m.save(tmp_path, m.float_head(y, 6)))
    assert "clip" not in steps(result)
    assert result.report.binary_convolutions == (0, 0)  # the sign is read as a float


def test_levels_of_one_sign_add_up(tmp_path):
    m = OnnxModel()
    x = m.norm("x", 6)
    above = m.add("Cast", m.add("Greater", x, 0.0), to=TensorProto.FLOAT)
    below = m.add("Cast", m.add("Less", x, 0.0), to=TensorProto.FLOAT)
    result = imported(m.save(tmp_path, m.head(m.binary(m.add("Sub", above, below), 6, 9), 9)))
    assert steps(result)[:2] == ["binarize", "binary_conv2d"]


def test_a_long_chain_of_residuals_still_cancels(tmp_path):
    m = OnnxModel()
    x = m.norm("x", 6)
    for _ in range(20):
        y = m.binary(m.add("Where", m.add("GreaterOrEqual", x, 0.0), 1.0, -1.0), 6, 6)
        x = m.add("Add", m.norm(y, 6), x)
    s = m.add("Where", m.add("GreaterOrEqual", x, 0.0), 1.0, -1.0)
    y = m.binary(difference(m, s, x), 6, 9)
    result = imported(m.save(tmp_path, m.head(y, 9)), allow_float=False)
    assert result.report.binary_convolutions == (22, 22)
