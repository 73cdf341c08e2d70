"""Tests of the numbers of one 8-bit layer: ranges, scales, offsets."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.converters.eight_bit.layer import (
    InputSteps,
    OverflowingSums,
    choose_steps,
    quantize_weights,
)


def samples(*columns: object) -> np.ndarray:
    return np.stack([np.asarray(c, np.float32) for c in columns], axis=1)


def chosen(x: np.ndarray) -> InputSteps:
    return choose_steps(x, x.min(axis=0), x.max(axis=0))


@pytest.mark.parametrize(("low", "high"), [(0, 3), (-2, 5), (-4, 0), (1, 2), (-2, -1), (1e-3, 9e3)])
def test_zero_is_a_step_and_even_samples_lie_within_half_a_step(low: float, high: float) -> None:
    x = samples(np.linspace(low, high, 1000))
    steps = chosen(x)
    assert steps.zero == np.rint(steps.zero)
    assert 0 <= steps.zero <= 127
    assert steps.apply(np.zeros((1, 1), np.float32)) == steps.zero
    error = (steps.apply(x) - steps.zero) / steps.scale - x
    # Rounding the zero shifts the range by up to half a step, which an end then lacks.
    assert np.abs(error).max() <= 1.01 / steps.scale
    assert np.sqrt(np.mean(error**2)) < 0.5 / steps.scale


def test_a_rare_outlier_is_clipped() -> None:
    x = samples(np.append(np.linspace(0, 1, 100_000), 1.6))
    assert chosen(x).scale > 127 / 1.6


def test_a_channel_that_is_always_zero_is_not_looked_at() -> None:
    steps = chosen(samples(np.zeros(5), np.linspace(0, 1, 5)))
    assert steps.scale[0] == steps.zero[0] == 0
    made = quantize_weights(np.ones((1, 2, 1, 1), np.float32), None, steps)
    assert made["weight"].ravel().tolist() == [0, 127]


@pytest.mark.parametrize("tiny", [1e-45, 1e-39])
def test_a_range_too_narrow_for_float32_counts_as_zero(tiny: float) -> None:
    steps = chosen(samples([0, tiny]))
    assert steps.scale == 0


@pytest.mark.parametrize("bias", [False, True])
def test_the_integers_give_back_the_layer(bias: bool) -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((4000, 6)) * [1, 9, 0.1, 2, 3, 1] + [0, 5, 1, -7, 0, 0]).astype("f4")
    weight = rng.standard_normal((5, 6, 1, 1)).astype(np.float32)
    b = rng.standard_normal(5).astype(np.float32) if bias else None
    steps = chosen(x)
    made = quantize_weights(weight, b, steps)
    want = x @ weight[:, :, 0, 0].T + (0 if b is None else b)
    integers = steps.apply(x) @ made["weight"][:, :, 0, 0].T.astype(float) + made["offset"]
    got = integers * made["scale"]
    assert np.sqrt(np.mean((got - want) ** 2)) < 0.02 * want.std()
    assert abs((got - want).mean()) < 0.01 * want.std()
    assert np.abs(made["weight"]).max(axis=(1, 2, 3)).tolist() == [127] * 5
    assert {name: a.dtype.name for name, a in made.items()} == {
        "weight": "int8", "offset": "int32", "scale": "float32", "input_scale": "float32",
        "input_zero": "float32",
    }  # fmt: skip


def test_a_bias_alone_is_kept() -> None:
    steps = chosen(samples([0, 1]))
    bias = np.array([0.3, -7.0, 0.0], np.float32)
    made = quantize_weights(np.zeros((3, 1, 2, 2), np.float32), bias, steps)
    assert not made["weight"].any()
    assert made["offset"] * made["scale"].astype(float) == pytest.approx(bias, rel=1e-6)


def test_sums_beyond_32_bits_are_refused() -> None:
    steps = chosen(samples([0, 1]))
    weight = np.broadcast_to(np.float32(1), (1, 1, 400, 400))
    with pytest.raises(OverflowingSums):
        quantize_weights(weight, None, steps)
