"""Tests of crops, flips and normalisation."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.training.data.augment import Augmentation, normalise


def images(count=64, side=6):
    return torch.randint(1, 256, (count, side, side, 3), dtype=torch.uint8)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_nothing_asked_nothing_done():
    x = images()
    assert torch.equal(Augmentation(padding=0, flip=False, seed=0)(x), x)


def test_flip_mirrors_about_half_of_the_images_along_the_width():
    x = images(400)
    y = Augmentation(padding=0, flip=True, seed=0)(x)
    same = (y == x).flatten(1).all(1)
    mirrored = (y == x.flip(2)).flatten(1).all(1)
    assert torch.equal(same, ~mirrored)
    assert 150 < same.sum() < 250


def test_every_crop_is_a_window_of_the_padded_image():
    x = images(50, side=4)
    y = Augmentation(padding=2, flip=False, seed=1)(x)
    padded = torch.nn.functional.pad(x, (0, 0, 2, 2, 2, 2))
    offsets = set()
    for image, crop in zip(padded, y, strict=True):
        found = [
            (r, c)
            for r in range(5)
            for c in range(5)
            if torch.equal(image[r : r + 4, c : c + 4], crop)
        ]
        assert len(found) == 1
        offsets.update(found)
    assert {r for r, _ in offsets} == {c for _, c in offsets} == set(range(5))


def test_its_own_generator_decides():
    x = images()
    first, again = (Augmentation(padding=2, flip=True, seed=3) for _ in range(2))
    torch.rand(5)
    assert torch.equal(first(x), again(x))
    state = first.generator.get_state()
    y = first(x)
    first.generator.set_state(state)
    assert torch.equal(first(x), y)
    assert not torch.equal(Augmentation(padding=2, flip=True, seed=4)(x), again(x))


def test_normalise():
    x = torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8)
    got = normalise(x, (0.5, 0.2, 0.0), (0.5, 0.1, 2.0))
    assert got.shape == (1, 3, 1, 1)
    assert got.flatten().tolist() == pytest.approx([-1.0, 0.0, 0.5], abs=1e-6)


def test_inputs_lie_channels_last():
    got = normalise(images(2), (0.5,) * 3, (0.5,) * 3)
    assert got.is_contiguous(memory_format=torch.channels_last)
    assert got.dtype == torch.float32
