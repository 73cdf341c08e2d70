"""Tests of runs that begin on smaller crops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.errors import ConfigError, UsageError
from bnas_deploy.networks.build import build_network
from bnas_deploy.training.data.augment import Augmentation
from bnas_deploy.training.data.images import ImageData, ImageSet
from bnas_deploy.training.data.preprocessing import PREPROCESSING
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.recipes.schedule import crop_size, rate_and_momentum
from bnas_deploy.training.run.loop import Trainer


class Sizes:
    """Note the size of the images that each epoch computes with."""

    def __init__(self, trainer):
        self.seen, self.now = [], set()
        trainer.network.stem.register_forward_pre_hook(self.note)

    def note(self, module, inputs):
        if module.training:
            self.now.add(tuple(inputs[0].shape[2:]))

    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        self.seen.append(self.now)
        self.now = set()


def test_the_first_epochs_compute_with_small_crops(make_trainer):
    trainer = make_trainer(epochs=4, small_crop=4, small_crop_share=0.5, drop_path=0.0)
    trainer.check_arithmetic()
    observer = Sizes(trainer)
    assert trainer.run(observer)
    assert observer.seen == [{(4, 4)}, {(4, 4)}, {(8, 8)}, {(8, 8)}]


def test_every_size_is_checked(make_trainer):
    trainer = make_trainer(small_crop=4)
    observer = Sizes(trainer)
    trainer.check_arithmetic()
    assert observer.now == {(4, 4), (8, 8)}


def test_small_crops_are_parts_of_the_picture():
    augmentation = Augmentation(padding=4, flip=False, seed=0)
    augmentation.size = 4
    images = torch.arange(1, 65, dtype=torch.uint8).reshape(1, 8, 8, 1).expand(200, 8, 8, 3)
    crops = augmentation(images)
    assert crops.shape == (200, 4, 4, 3)
    assert set(crops[:, 0, 0, 0].tolist()) == {8 * y + x + 1 for y in range(5) for x in range(5)}
    rows = crops[:, :, 0, 0].int()
    assert (rows.diff(dim=1) == 8).all()


@pytest.mark.parametrize(("epochs", "share", "small"), [(10, 0.6, 6), (5, 0.5, 2), (3, 1.0, 3)])
def test_their_share_of_the_epochs(epochs, share, small):
    recipe = Recipe(epochs=epochs, small_crop=24, small_crop_share=share)
    assert [crop_size(recipe, epoch / epochs) for epoch in range(epochs)] == [24] * small + [0] * (
        epochs - small
    )


def test_one_cosine_over_the_whole_run():
    recipe = Recipe(schedule="cosine", lr=0.4, momentum=0.8)
    rates = [rate_and_momentum(recipe, share) for share in (0.0, 0.5, 0.99)]
    assert rates[0] == (0.4, 0.8)
    assert rates[1][0] == pytest.approx(0.2)
    assert 0 < rates[2][0] < 0.4 / 1000


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"small_crop": 6}, "multiple of 4"),
        ({"optimizer": "lamb"}, "optimizer is one of sgd, adam"),
    ],
)
def test_values_that_are_none(value, message):
    with pytest.raises(ConfigError, match=message):
        Recipe(**value)


def test_crops_as_large_as_the_images_are_not_small(make_trainer):
    with pytest.raises(UsageError, match="small_crop 8"):
        make_trainer(small_crop=8)


def trainer_of(name, small_crop, **changes):
    config = replace(NETWORKS[name], channels=4, layers=1, classes=3, image_size=32, **changes)
    images = ImageSet(np.zeros((12, 32, 32, 3), np.uint8), np.arange(12) % 3)
    return Trainer(
        build_network(config),
        ImageData("black", ("a", "b", "c"), images, images),
        recipe=Recipe(epochs=1, batch=12, drop_path=0.0, small_crop=small_crop, small_crop_share=1),
        preprocessing=PREPROCESSING["cifar10"],
        runtime=Runtime(),
    )


@pytest.mark.parametrize("name", ["bireal20", "xnor-resnet18"])
def test_backbones_for_small_images_take_crops(name):
    trainer = trainer_of(name, 24)
    observer = Sizes(trainer)
    assert trainer.run(observer)
    assert observer.seen == [{(24, 24), (32, 32)}]


def test_crops_that_a_backbone_cannot_halve_often_enough():
    with pytest.raises(UsageError, match="multiple of 8 for bireal20, whose stages halve"):
        trainer_of("bireal20", 20)


@pytest.mark.parametrize("name", ["xnor-plus-resnet18", "bireal18-imagenet"])
def test_backbones_for_one_size(name):
    with pytest.raises(UsageError, match="takes images of any size"):
        trainer_of(name, 24)


def test_a_stack_has_linear_layers_for_one_size(make_trainer):
    trainer = make_trainer()
    trainer.network.config = replace(trainer.network.config, template="stack")
    with pytest.raises(UsageError, match="takes images of any size"):
        Trainer(
            trainer.network,
            trainer.data,
            recipe=Recipe(batch=10, small_crop=4),
            preprocessing=trainer.preprocessing,
            runtime=trainer.runtime,
        )
