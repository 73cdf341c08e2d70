"""Tests of images that are held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bnas_deploy.errors import DataError
from bnas_deploy.training.data.holdout import hold_out
from bnas_deploy.training.data.images import ImageSet
from bnas_deploy.training.recipes.recipe import Recipe


def identified(data, counts=(30, 12, 3)):
    """The data with so many images of each class; the first pixel tells which one it is."""
    labels = np.repeat(np.arange(3), counts)
    images = np.zeros((len(labels), 8, 8, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(len(labels))
    return replace(data, train=ImageSet(images, labels))


def names(images):
    return images.images[:, 0, 0, 0].tolist()


def test_of_every_class_its_share_and_each_image_once(data):
    data = identified(data)
    held = hold_out(data, Recipe(holdout=0.25))
    assert np.bincount(held.validation.labels).tolist() == [8, 3, 1]
    assert sorted(names(held.train) + names(held.validation)) == list(range(45))
    for part in (held.train, held.validation):
        assert part.labels.tolist() == data.train.labels[names(part)].tolist()
    assert held.test is data.test


def test_the_seed_says_which(data):
    data = identified(data)
    first, again, other = (
        names(hold_out(data, Recipe(holdout=0.25, holdout_seed=seed)).validation)
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_nothing_is_held_out_where_there_is_something_to_measure_on(data):
    assert hold_out(data, Recipe()) is data
    validated = replace(data, validation=data.test)
    assert hold_out(validated, Recipe(holdout=0.5)) is validated


def test_a_tenth_where_there_is_nothing(data):
    held = hold_out(replace(identified(data), test=ImageSet.empty()), Recipe())
    assert np.bincount(held.validation.labels).tolist() == [3, 1, 1]


def test_a_class_of_one_image_is_named(data):
    with pytest.raises(DataError, match="red has 1 picture to learn from"):
        hold_out(identified(data, (30, 12, 1)), Recipe(holdout=0.5))
