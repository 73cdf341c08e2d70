from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bnas_deploy.converters.graph.numerics import (
    batch_norm_terms,
    float_thresholds,
    integer_thresholds,
)
from bnas_deploy.errors import PassError

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
EXTREMES = [0.0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38, 1.0, -1.0]


def positive(x, alpha, beta):
    """By exact rational arithmetic."""
    pairs = np.broadcast(x, alpha, beta)
    signs = [Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c)) >= 0 for a, b, c in pairs]
    return np.array(signs).reshape(pairs.shape)


def check_threshold(alpha, beta, xs):
    dtype = np.float32
    alpha, beta = np.array([alpha], dtype), np.array([beta], dtype)
    threshold, flip = float_thresholds(alpha, beta)
    assert threshold.dtype == dtype
    assert not np.isnan(threshold[0])
    with np.errstate(all="ignore"):
        near = [threshold[0], *np.nextafter(threshold[0], np.array([-np.inf, np.inf], dtype))]
    xs = np.array([x for x in [*xs, *EXTREMES, *near] if np.isfinite(x)], dtype)
    xs = xs[np.isfinite(xs)]
    assert np.array_equal((xs >= threshold) != flip, positive(xs, alpha, beta))


@settings(max_examples=300, deadline=None)
@given(FINITE, FINITE, st.lists(FINITE, min_size=1, max_size=20))
@example(0.0, -1.0, [0.0])
@example(0.0, 0.0, [0.0])
@example(-0.0, -0.0, [1.0])
@example(1e-45, -1.0, [3.4e38])  # never reaches zero: threshold infinity
@example(-1e-45, -1.0, [-3.4e38])
@example(3.4e38, -3.4e38, [1.0])
@example(-2.0, 0.0, [0.0])
def test_float_threshold_agrees_everywhere(alpha, beta, xs):
    check_threshold(alpha, beta, xs)


def test_float_thresholds_of_many_channels_on_every_float_near_them():
    rng = np.random.default_rng(0)
    alpha = rng.normal(size=50).astype(np.float32)
    beta = rng.normal(size=50).astype(np.float32)
    threshold, flip = float_thresholds(alpha, beta)
    # The floats around each threshold.
    steps = np.arange(-200, 201)[:, None]
    xs = (threshold.view(np.int32) + steps).astype(np.int32).view(np.float32)
    assert np.array_equal((xs >= threshold) != flip, positive(xs, alpha, beta))


def relu_batch_norm(scale, alpha, beta):
    def sign(dots):
        v = np.maximum(dots.astype(np.float32) * scale[:, None], np.float32(0))
        return (v * alpha[:, None] + beta[:, None]) >= 0

    return sign


@pytest.mark.parametrize("bound", [1, 2, 63, 64, 65, 9 * 36])
def test_integer_thresholds_agree_for_every_dot_product(bound):
    rng = np.random.default_rng(bound)
    scale = (rng.random(40) * 0.1).astype(np.float32)
    scale[3] = 0
    alpha = rng.normal(size=40).astype(np.float32)
    alpha[:3] = 0
    beta = (rng.normal(size=40) * bound * 0.05).astype(np.float32)
    beta[0] = 0
    sign = relu_batch_norm(scale, alpha, beta)
    threshold, flip = integer_thresholds(sign, bound, 40)
    dots = np.arange(-bound, bound + 1)[None]
    assert threshold.dtype == np.int32
    assert np.array_equal((dots >= threshold[:, None]) != flip[:, None], sign(dots))
    assert len({*flip.tolist()}) == 2


def test_integer_thresholds_in_chunks_are_the_same(monkeypatch):
    def sign(dots):
        return dots * np.array([[1], [-1], [1]]) >= np.array([[5], [-7], [100]])

    whole = integer_thresholds(sign, 50, 3)
    monkeypatch.setattr("bnas_deploy.converters.graph.numerics._CHUNK", 9)
    for a, b in zip(whole, integer_thresholds(sign, 50, 3), strict=True):
        assert np.array_equal(a, b)
    assert whole[0].tolist() == [5, 8, -50]
    assert whole[1].tolist() == [False, True, True]


def test_a_sign_that_changes_twice_is_refused():
    with pytest.raises(PassError, match="not monotone"):
        integer_thresholds(lambda dots: abs(dots) >= 3, 10, 1)


def channel(array):
    return array[None, :, None, None]


def test_batch_norm_is_what_pytorch_computes():
    rng = np.random.default_rng(0)
    c = 500
    arrays = {
        "weight": rng.normal(size=c),
        "bias": rng.normal(size=c),
        "mean": rng.normal(size=c),
        "var": rng.random(c) + 1e-3,
    }
    arrays = {key: a.astype(np.float32) for key, a in arrays.items()}
    x = rng.normal(size=(2, c, 3, 3)).astype(np.float32)
    alpha, beta = batch_norm_terms(**arrays, eps=1e-5)
    ours = (x.astype(np.float64) * channel(alpha) + channel(beta)).astype(np.float32)
    t = {key: torch.from_numpy(a) for key, a in arrays.items()}
    theirs = torch.nn.functional.batch_norm(
        torch.from_numpy(x), t["mean"], t["var"], t["weight"], t["bias"], eps=1e-5
    ).numpy()
    # Equal to the bit where PyTorch was built with fused multiply-add; else two roundings more.
    terms = np.abs(x * channel(alpha)) + np.abs(channel(arrays["mean"] * alpha)) + 1
    assert (np.abs(ours - theirs) <= 4 * np.finfo(np.float32).eps * terms).all()
    assert (ours == theirs).mean() > 0.5


@pytest.mark.parametrize("key", ["weight", "bias", "mean", "var"])
def test_what_is_not_finite_is_refused_by_channel(key):
    arrays = {name: np.ones(3, np.float32) for name in ("weight", "bias", "mean", "var")}
    arrays[key][1] = -1 if key == "var" else np.nan
    with pytest.raises(PassError, match="channel 1"):
        batch_norm_terms(**arrays, eps=1e-5)
