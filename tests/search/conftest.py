"""A tiny data set and searchers on it, for the tests of searching."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.search.start import fresh_searcher
from bnas_deploy.training.data.images import ImageData, ImageSet
from bnas_deploy.training.machine.device import Runtime

TINY = {"cells": 3, "channels": 2, "image_size": 8, "epochs": 2, "batch": 4, "crop_padding": 1}


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    # Tensors this small are slower on several threads.
    torch.set_num_threads(1)


def image_set(count, seed=0):
    """Make images whose mean colour tells their class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = rng.integers(0, 100, (count, 8, 8, 3), dtype=np.uint8)
    images[np.arange(count), :, :, labels] += 120
    return ImageSet(images, labels.astype(np.int64))


@pytest.fixture
def data():
    return ImageData("tiny", ("blue", "green", "red"), image_set(25), image_set(6, 1))


@pytest.fixture
def make_searcher(data):
    def make(*, seed=5, gammas=(1.0, 3.0), **recipe):
        return fresh_searcher(
            data,
            recipe=SearchRecipe(**{**TINY, **recipe}),
            runtime=Runtime(),
            seed=seed,
            gammas=gammas,
        )

    return make


class Watch:
    """Keeps what the loop tells and stops it after some epochs."""

    def __init__(self, stop_after=None):
        self.steps, self.rows, self.stop_after = [], [], stop_after

    def step(self, searcher, row):
        self.steps.append((searcher.progress.epoch, searcher.progress.step))

    def epoch(self, searcher, row):
        self.rows.append(row)
        if self.stop_after == len(self.rows):
            searcher.stop = True


@pytest.fixture
def watch():
    return Watch
