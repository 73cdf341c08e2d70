"""Tests of the 8-bit convolution's meaning against plain loops, rationals and special floats."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from support.program_builder import Builder
from support.random_programs import step_programs

from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.engine.reference.steps.quantized import quantize_input
from bnas_deploy.format import PackedModel
from bnas_deploy.format.steps import QuantizedConv2d

MODELS = {name: m for name, m in step_programs(3) if name.startswith("quantized_conv2d")}
SPECIAL = np.array(
    [np.nan, -np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-45, -1e-45, 3e38, -3e38, 0.5, 1.5, -2.0],
    np.float32,
)


def one_step(x: float, scale: float, zero: float) -> int:
    """Clipped x * scale + zero to the nearest integer; float64 holds these sums exactly enough."""
    t = np.float32(float(Fraction(x) * Fraction(scale) + Fraction(zero)))
    return round(Fraction(float(min(max(t, np.float32(0)), np.float32(127)))))


def by_loops(m: PackedModel, x: np.ndarray) -> np.ndarray:
    """The step's result (O, Ho, Wo) from the text of docs/format.md, with Python integers."""
    s = next(step for step in m.program.steps if isinstance(step, QuantizedConv2d))
    weight, offset, scale, steps, zero = (
        m.tensors[name].tolist()
        for name in (s.weight, s.offset, s.scale, s.input_scale, s.input_zero)
    )
    kh, kw = m.tensors[s.weight].shape[2:]
    y = np.empty(m.program.values[s.output].shape, np.float32)
    for o, oy, ox in np.ndindex(y.shape):
        acc = offset[o]
        for c, ky, kx in np.ndindex(len(x), kh, kw):
            iy = oy * s.stride[0] + ky * s.dilation[0] - s.padding[0]
            ix = ox * s.stride[1] + kx * s.dilation[1] - s.padding[1]
            inside = 0 <= iy < x.shape[1] and 0 <= ix < x.shape[2]
            pixel = float(x[c, iy, ix]) if inside else 0.0
            acc += weight[o][c][ky][kx] * one_step(pixel, steps[c], zero[c])
        v = np.float32(acc) * np.float32(scale[o])
        y[o, oy, ox] = max(v, np.float32(0)) if s.activation == "relu" else v
    return y


@pytest.mark.parametrize("name", [n for n in MODELS if "384" not in n and "-65-" not in n])
def test_it_is_what_the_specification_says(name: str) -> None:
    m = MODELS[name]
    images = np.random.default_rng(0).standard_normal((1, *m.program.values["image"].shape))
    values = ReferenceRunner(m).trace(images.astype(np.float32))
    s = next(step for step in m.program.steps if isinstance(step, QuantizedConv2d))
    assert np.array_equal(values[s.output][0], by_loops(m, values[s.input][0]))


def test_ties_go_to_the_even_integer() -> None:
    x = np.array([0.5, 1.5, 2.5, 125.5, 126.5, 126.49999, 0.49999997], np.float32)
    q = quantize_input(x.reshape(1, 1, 1, -1), np.ones(1, "f4"), np.zeros(1, "f4"))
    assert q.ravel().tolist() == [0, 2, 2, 126, 126, 126, 0]


def test_the_product_and_the_sum_are_rounded_once() -> None:
    x, scale = np.float32(1 + 2**-12), np.float32(1 + 2**-12)
    zero = np.float32(2**-1 - 1 - 2**-11)  # the exact sum is 0.5 + 2^-24: above the tie
    q = quantize_input(np.full((1, 1, 1, 1), x), np.array([scale]), np.array([zero]))
    assert np.float32(x * scale) + zero == 0.5
    assert q.item() == 1


def test_special_floats() -> None:
    ones, zeros = np.ones(1, "f4"), np.zeros(1, "f4")
    with np.errstate(all="ignore"):
        q = quantize_input(SPECIAL.reshape(1, 1, 1, -1), ones, zeros)
        constant = quantize_input(SPECIAL.reshape(1, 1, 1, -1), zeros, 90 * ones)
    assert q.ravel().tolist() == [0, 0, 127, 0, 0, 0, 0, 0, 127, 0, 0, 2, 0]
    assert constant.ravel().tolist() == [0, 0, 0, 0, *[90] * 9]  # infinity times 0 is NaN


def test_the_largest_sums_are_rounded_to_float_once() -> None:
    b = Builder(np.random.default_rng(0), (2, 1, 1))
    out = b.quantized_conv2d("image", 2, kernel=1, padding=0)
    s = b.steps[-1]
    weight = np.array([[127, 127], [-127, -127]], np.int8).reshape(2, 2, 1, 1)
    b.tensors[s.weight] = weight
    b.tensors[s.offset] = np.array([2**31 - 1, -(2**31) + 1], np.int32) - 2 * 127 * 127 * np.array(
        [1, -1], np.int32
    )
    b.tensors[s.scale] = np.ones(2, "f4")
    b.tensors[s.input_scale], b.tensors[s.input_zero] = np.ones(2, "f4"), np.zeros(2, "f4")
    values = ReferenceRunner(b.finish()).trace(np.full((1, 2, 1, 1), 1e9, np.float32))
    assert values[out].ravel().tolist() == [2.0**31, -(2.0**31)]
