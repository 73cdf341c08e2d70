"""Tests of preprocessing as a value: what is written, what is read, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.config import get_config
from bnas_deploy.training.preprocessing import PREPROCESSING, Preprocessing
from bnas_deploy.training.start import preprocessing_for

PLAIN = PREPROCESSING["imagenet"]


@pytest.mark.parametrize("resize", [0, 224, 256])
def test_it_survives_writing_and_reading(resize):
    value = replace(PLAIN, resize=resize)
    assert Preprocessing.from_dict(value.to_dict()) == value
    assert value.shorter_side == max(resize, 224)


def test_files_from_before_there_was_a_resize():
    assert "resize" not in PLAIN.to_dict()
    assert Preprocessing.from_dict(PLAIN.to_dict()).resize == 0


@pytest.mark.parametrize("resize", [-1, 223, 16_385, 256.0, "256", True, None])
def test_a_resize_that_cannot_be(resize):
    with pytest.raises(ConfigError, match="preprocessing: resize must be 0 or a whole number"):
        Preprocessing.from_dict({**PLAIN.to_dict(), "resize": resize})


@pytest.mark.parametrize(
    ("name", "streamed", "side"),
    [("D", True, 256), ("D", False, 224), ("Mini", True, 32), ("Mini", False, 32)],
)
def test_only_streamed_pictures_for_imagenet_lose_their_edges(name, streamed, side):
    assert preprocessing_for(get_config(name), streamed=streamed).shorter_side == side
