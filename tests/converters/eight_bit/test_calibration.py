"""Tests of calibration: what is seen of a program's values, and the pictures that are made up."""

from __future__ import annotations

import numpy as np
from support.program_builder import Builder
from support.random_programs import random_images

from bnas_deploy.converters.eight_bit import calibration
from bnas_deploy.converters.eight_bit.calibration import natural_noise, watch_inputs
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format import Preprocessing

PREPROCESSING = Preprocessing(32, (32, 24), (0.5, 0.4, 0.3), (0.25, 0.2, 0.3))


def test_extremes_are_of_all_pixels_and_samples_are_drawn_from_them(monkeypatch) -> None:
    monkeypatch.setattr(calibration, "SAMPLES", 40)
    b = Builder(np.random.default_rng(0), (2, 5, 6))
    x = b.affine("image")
    model = b.finish()
    images = random_images(np.random.default_rng(0), model, 11)
    seen = watch_inputs(model, images, ["image", x], backend="reference")
    values = ReferenceRunner(model).trace(images)
    for name, found in seen.items():
        assert np.array_equal(found.low, values[name].min(axis=(0, 2, 3)))
        assert np.array_equal(found.high, values[name].max(axis=(0, 2, 3)))
        assert found.samples.shape == (11 * 4, 2)
        pixels = {tuple(p) for p in values[name].transpose(0, 2, 3, 1).reshape(-1, 2).tolist()}
        assert {tuple(p) for p in found.samples.tolist()} <= pixels


def test_noise_is_seeded_and_fills_the_range_of_pixels() -> None:
    x = natural_noise(20, PREPROCESSING)
    assert x.dtype == np.float32
    assert x.shape == (20, 3, 32, 24)
    assert np.array_equal(x, natural_noise(20, PREPROCESSING))
    assert not np.array_equal(x, natural_noise(20, PREPROCESSING, seed=1))
    mean, std = (np.array(v)[:, None, None] for v in (PREPROCESSING.mean, PREPROCESSING.std))
    pixels = 255 * (x * std + mean)
    assert np.allclose(pixels, np.rint(pixels), atol=1e-3)
    assert -1e-3 < pixels.min() < 10
    assert 245 < pixels.max() < 255 + 1e-3


def test_noise_is_smooth_and_mostly_grey_like_photographs() -> None:
    x = natural_noise(20, PREPROCESSING)
    x = x - x.mean(axis=(2, 3), keepdims=True)
    neighbours = np.corrcoef(x[..., 1:].ravel(), x[..., :-1].ravel())[0, 1]
    colours = np.corrcoef(x[:, 0].ravel(), x[:, 1].ravel())[0, 1]
    assert neighbours > 0.5
    assert colours > 0.7


def test_noise_of_one_pixel_is_finite() -> None:
    one = Preprocessing(1, (1, 1), (0.5,), (0.5,))
    assert np.isfinite(natural_noise(3, one)).all()
