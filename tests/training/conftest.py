"""A tiny data set and trainers on it, for the tests of training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bnas_deploy.format import Preprocessing
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.data.images import ImageData, ImageSet
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.run.loop import Trainer

CONFIG = NetworkConfig("tiny", 3, 4, LATEST_CELL_ZEROISE, classes=3, image_size=8)
PREPROCESSING = Preprocessing(8, (8, 8), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def image_set(count, seed):
    """Make images whose mean colour tells their class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = rng.integers(0, 100, (count, 8, 8, 3), dtype=np.uint8)
    images[np.arange(count), :, :, labels] += 120
    return ImageSet(images, labels.astype(np.int64))


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    # Tensors this small are slower on several threads.
    torch.set_num_threads(1)


@pytest.fixture
def data():
    return ImageData("tiny", ("blue", "green", "red"), image_set(45, 0), image_set(15, 1))


@pytest.fixture
def make_trainer(data):
    images = data

    def make(*, runtime=None, binary=True, data=None, initial=None, teacher=None, **recipe):
        torch.manual_seed(0)
        settings = {"epochs": 2, "batch": 10, "drop_path": 0.3, "crop_padding": 1, **recipe}
        return Trainer(
            build_network(CONFIG, binary=binary),
            data or images,
            recipe=Recipe(**settings),
            preprocessing=PREPROCESSING,
            runtime=runtime or Runtime(),
            seed=5,
            initial=initial,
            teacher=teacher,
        )

    return make
