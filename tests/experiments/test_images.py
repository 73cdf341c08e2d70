"""Tests of the images of jobs: generated, cut down, missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.registry import find
from bnas_deploy.experiments.running.images import Images


@pytest.fixture
def setup():
    return find("table8").variants("smoke", {})[0].setup


def test_generated_images_are_the_same_every_time(setup):
    first, again = Images("smoke").load(setup), Images("smoke").load(setup)
    np.testing.assert_array_equal(first.train.images, again.train.images)
    assert first.train.images.shape[1:] == (8, 8, 3)
    assert set(first.test.labels) == {0, 1, 2}


def test_a_part_of_the_images_is_named(setup):
    data = Images("smoke").load(replace(setup, train_images=10, test_images=6))
    assert (len(data.train), len(data.test)) == (10, 6)
    assert data.name == "generated images, 10 of 64 training and 6 of 24 test images"


@pytest.mark.parametrize("budget", ["cpu", "paper"])
def test_other_budgets_need_data(setup, budget):
    images = Images(budget)
    assert images.check(setup) == images.check(None) == "needs --data"
    with pytest.raises(UsageError, match="--data"):
        images.load(setup)


def test_imagenet_is_asked_for_by_its_networks(tmp_path):
    (setup,) = [v.setup for v in find("table6").variants("paper", {}) if v.name == "D"]
    assert Images("paper", cifar10=tmp_path).check(setup) == "needs --imagenet"
    assert Images("paper", imagenet=tmp_path).check(setup) == ""
