"""Tests of resize, crop and normalisation against a plain triangle filter written out here."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bnas_deploy.errors import ImageError
from bnas_deploy.format import Preprocessing
from bnas_deploy.runtime.preprocess import normalise, resize_and_crop


def preprocessing(resize: int, crop: tuple[int, int]) -> Preprocessing:
    return Preprocessing(resize, crop, (0.49, 0.48, 0.45), (0.25, 0.24, 0.26))


def picture(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(width * 1000 + height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3)).astype(np.uint8))


def triangle(size: int, out: int) -> np.ndarray:
    """(out, size) weights of antialiased bilinear filtering."""
    scale = size / out
    reach = max(scale, 1.0)
    centre = (np.arange(out)[:, None] + 0.5) * scale
    distance = np.abs(np.arange(size) + 0.5 - centre) / reach
    weights = np.maximum(0.0, 1.0 - distance)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("width", "height", "resize", "crop", "resized"),
    [
        (40, 30, 8, (8, 8), (11, 8)),
        (30, 41, 8, (8, 8), (8, 11)),
        (100, 33, 16, (9, 12), (48, 16)),
        (5, 3, 8, (7, 8), (13, 8)),
        (1, 1, 4, (4, 4), (4, 4)),
        (500, 1, 8, (8, 8), (4000, 8)),
    ],
)
def test_against_a_plain_filter(
    width: int, height: int, resize: int, crop: tuple[int, int], resized: tuple[int, int]
) -> None:
    image = picture(width, height)
    result = resize_and_crop(image, preprocessing(resize, crop), "x")
    rows, columns = triangle(height, resized[1]), triangle(width, resized[0])
    whole = np.einsum("yh,xw,hwc->yxc", rows, columns, np.asarray(image, np.float64))
    top, left = (resized[1] - crop[0]) // 2, (resized[0] - crop[1]) // 2
    expected = whole[top : top + crop[0], left : left + crop[1]]
    assert result.dtype == np.uint8
    assert result.shape == (*crop, 3)
    # Pillow rounds to 8 bits after each of its two passes.
    assert np.abs(result - expected).max() <= 1.1


def test_right_size_passes_untouched() -> None:
    image = picture(8, 8)
    result = resize_and_crop(image, preprocessing(8, (8, 8)), "x")
    assert np.array_equal(result, np.asarray(image))


def test_columns_are_resized_before_rows() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (61, 23, 3), np.uint8)
    image = Image.fromarray(noise)
    result = resize_and_crop(image, preprocessing(8, (8, 8)), "x")
    narrow = image.resize((8, 61), Image.Resampling.BILINEAR)
    whole = np.asarray(narrow.resize((8, 21), Image.Resampling.BILINEAR))
    assert (result == whole[6:14]).all()


def test_absurdly_long_picture_is_refused() -> None:
    with pytest.raises(ImageError, match="ribbon: 200000 x 1 pixels"):
        resize_and_crop(Image.new("RGB", (200_000, 1)), preprocessing(32, (32, 32)), "ribbon")


def test_normalise_is_three_float32_operations() -> None:
    p = preprocessing(2, (2, 3))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 2, 3, 3)).astype(np.uint8)
    x = normalise(pixels, p)
    assert x.dtype == np.float32
    assert x.shape == (2, 3, 2, 3)
    assert x.flags.c_contiguous
    for n, y, column, c in np.ndindex(2, 2, 3, 3):
        value = np.float32(pixels[n, y, column, c]) / np.float32(255)
        expected = (value - np.float32(p.mean[c])) / np.float32(p.std[c])
        assert x[n, c, y, column] == expected
