"""Tests of preprocessing as a value: what is written, what is read, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.config import get_config
from bnas_deploy.training.data.preprocessing import (
    PREPROCESSING,
    preprocessing_from_dict,
    preprocessing_to_dict,
)
from bnas_deploy.training.run.start import preprocessing_for

PLAIN = PREPROCESSING["imagenet"]


@pytest.mark.parametrize("resize", [224, 256])
def test_it_survives_writing_and_reading(resize):
    value = replace(PLAIN, resize=resize)
    assert preprocessing_from_dict(preprocessing_to_dict(value)) == value


def test_files_from_before_there_was_a_resize():
    assert "resize" not in preprocessing_to_dict(PLAIN)
    assert preprocessing_from_dict(preprocessing_to_dict(PLAIN)).resize == 224


@pytest.mark.parametrize("resize", [-1, 223, 16_385, 256.0, "256", True, None])
def test_a_resize_that_cannot_be(resize):
    with pytest.raises(ConfigError, match="preprocessing: resize must be 0 or a whole number"):
        preprocessing_from_dict({**preprocessing_to_dict(PLAIN), "resize": resize})


def test_a_resize_of_0_is_the_longer_side_of_the_crop():
    value = {**preprocessing_to_dict(PLAIN), "size": [200, 224], "resize": 0}
    assert preprocessing_from_dict(value) == replace(PLAIN, crop=(200, 224), resize=224)


@pytest.mark.parametrize("name", ["size", "mean", "std"])
@pytest.mark.parametrize(
    "given", [[], [1] * 4, "abc", None, 3, [float("nan")] * 3, [True] * 3, ["1"] * 3, {1: 2}]
)
def test_numbers_that_cannot_be(name, given):
    with pytest.raises(ConfigError, match=f"preprocessing: {name} must be"):
        preprocessing_from_dict({**preprocessing_to_dict(PLAIN), name: given})


@pytest.mark.parametrize(
    ("name", "streamed", "side"),
    [("D", True, 256), ("D", False, 224), ("Mini", True, 32), ("Mini", False, 32)],
)
def test_only_streamed_pictures_for_imagenet_lose_their_edges(name, streamed, side):
    assert preprocessing_for(get_config(name), streamed=streamed).resize == side
