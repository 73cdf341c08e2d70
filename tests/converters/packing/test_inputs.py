"""The inputs of a self-check that are made to break things."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.converters.packing.inputs import noise, random_pictures, structured
from bnas_deploy.converters.packing.source import plain_preprocessing
from bnas_deploy.format import Preprocessing

PICTURES = [
    "black",
    "white",
    "flat colours",
    "half black",
    "whole numbers",
    "one bright pixel",
    "drawings",
]


@pytest.mark.parametrize("shape", [(1, 28, 28), (2, 7, 3), (3, 32, 32), (13, 8, 8), (3, 2, 2)])
def test_pictures_of_any_number_of_channels(shape):
    found = structured(shape, None)
    assert list(found) == PICTURES
    assert all(x.shape[1:] == shape and x.dtype == np.float32 for x in found.values())
    assert sum(map(len, found.values())) == 15
    assert not found["black"].any()
    assert (found["white"] == 1).all()
    flat = found["flat colours"]
    assert (flat == flat[:, :, :1, :1]).all()
    assert (found["half black"] == 0).mean(axis=(1, 2, 3)).min() >= 1 / 3
    assert [np.count_nonzero(x) for x in found["one bright pixel"]] == [shape[0]] * 2


def test_whole_numbers_go_to_255_where_nobody_says_how_pictures_become_inputs():
    found = structured((1, 20, 20), None)["whole numbers"]
    assert (found == np.rint(found)).all()
    assert found.max() > 200
    assert set(np.unique(found[1])) == {0, 255}


def test_pictures_become_inputs_as_the_model_says():
    pixels = Preprocessing(8, (8, 8), (0.5, 0.4, 0.3), (0.25, 0.2, 0.1))
    found = structured((3, 8, 8), pixels)
    assert np.allclose(found["black"][0, :, 0, 0], [-2, -2, -3])
    assert np.allclose(found["white"][0, :, 0, 0], [2, 3, 7])
    levels = (found["drawings"] * 0.25 + 0.5)[:, 0] * 255  # as 8-bit pictures have
    assert np.allclose(levels, np.rint(levels), atol=1e-3)


def test_drawings_have_edges_and_black_and_differ():
    drawings = structured((3, 32, 32), None)["drawings"]
    assert len({x.tobytes() for x in drawings}) == 4
    assert (drawings[2:] == 0).mean() > 0.3
    assert (drawings[:2] > 0).all()
    assert all(len(np.unique(x)) > 20 for x in drawings)


@pytest.mark.parametrize("shape", [(16, 1, 1), (3, 1, 40), (5, 9, 1)])
def test_vectors_have_kinds_of_their_own(shape):
    found = structured(shape, None)
    assert list(found) == ["zeros", "ones", "whole numbers", "one-hot"]
    assert all(x.shape[1:] == shape and x.dtype == np.float32 for x in found.values())
    assert not found["zeros"].any()
    assert (found["ones"] == 1).all()
    assert (found["one-hot"].sum(axis=(1, 2, 3)) == 1).all()
    assert (found["whole numbers"] == np.rint(found["whole numbers"])).all()
    assert found["whole numbers"].min() < 0


def test_the_same_at_every_call():
    first, second = structured((3, 9, 9), None), structured((3, 9, 9), None)
    assert all(np.array_equal(first[kind], second[kind]) for kind in first)


def test_noise_is_pictures_for_three_channels_and_normal_numbers_else():
    pictures = noise(2, (3, 8, 8), plain_preprocessing((3, 8, 8)))
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert noise(2, (4, 8, 8), plain_preprocessing((4, 8, 8))).min() < -1


def test_random_pictures_are_seeded_and_normalised():
    a = random_pictures(3, (20, 24), (0.5, 0.4, 0.3), (0.25, 0.2, 0.1))
    assert a.shape == (3, 3, 20, 24)
    assert a.dtype == np.float32
    assert np.array_equal(a, random_pictures(3, (20, 24), (0.5, 0.4, 0.3), (0.25, 0.2, 0.1)))
    assert not np.array_equal(a[0], a[1])
    pixels = (
        a * np.array([0.25, 0.2, 0.1])[:, None, None] + np.array([0.5, 0.4, 0.3])[:, None, None]
    )
    assert -1e-5 <= pixels.min() < 0.2
    assert 0.8 < pixels.max() <= 1 + 1e-5
