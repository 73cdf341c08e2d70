"""Tests of random and central crops of one picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bnas_deploy.runtime.preprocess import resize_and_crop
from bnas_deploy.training.data.crops import RandomCrop, _box, square_sizes


def ramp(width, height):
    """Make a picture whose red is the column and whose green is the row."""
    rows, columns = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([columns, rows, rows * 0], axis=2).astype(np.uint8))


@pytest.mark.parametrize("size", [(50, 40), (40, 50), (7, 7), (1, 1), (200, 3), (3, 200)])
@pytest.mark.parametrize("least", [0.08, 0.5, 1.0])
def test_boxes_lie_inside_and_are_no_smaller_than_asked(size, least):
    for seed in range(50):
        left, upper, right, lower = _box(size, least, np.random.default_rng(seed))
        assert 0 <= left < right <= size[0]
        assert 0 <= upper < lower <= size[1]
        # Sides are rounded to pixels.
        if max(size) <= 4 / 3 * min(size):
            assert (right - left + 1) * (lower - upper + 1) >= least * size[0] * size[1]
        assert (right - left) <= round((lower - upper + 0.5) * 4 / 3 + 0.5)


def test_a_strip_falls_back_to_its_centre():
    assert _box((200, 3), 0.9, np.random.default_rng(0)) == (98, 0, 102, 3)


@pytest.mark.parametrize("crop", [RandomCrop(8, 0.2, flip=True), RandomCrop(8, padding=2)])
@pytest.mark.parametrize("size", [(50, 40), (5, 9), (8, 8)])
def test_the_same_state_gives_the_same_crop(crop, size):
    image = ramp(*size)
    first, again, other = (crop(image, np.random.default_rng(s), "x") for s in (1, 1, 2))
    assert first.shape == (8, 8, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_half_the_crops_are_mirrored():
    crop, image = RandomCrop(8, flip=True), ramp(8, 8)
    rising = [int(crop(image, np.random.default_rng(s), "x")[0, -1, 0]) == 7 for s in range(400)]
    assert 0.4 < np.mean(rising) < 0.6


def test_padding_shifts_by_at_most_its_pixels():
    crop, image = RandomCrop(8, padding=2), ramp(8, 8)
    found = set()
    for seed in range(200):
        pixels = crop(image, np.random.default_rng(seed), "x")
        found.add((int(pixels[3, 3, 0]) - 3, int(pixels[3, 3, 1]) - 3))
    assert found == {(x, y) for x in range(-2, 3) for y in range(-2, 3)}


def test_sizes_of_a_square_in_a_larger_picture():
    pixels = resize_and_crop(ramp(64, 32), square_sizes(16, 32), "x")
    assert pixels.shape == (16, 16, 3)
    assert (pixels[0, 0, 0], pixels[0, 0, 1]) == (24, 8)
