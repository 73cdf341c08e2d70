"""Tests of presets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnas_deploy.networks.config import find_config
from bnas_deploy.training.recipes.presets import PRESETS, differences, preset
from bnas_deploy.training.recipes.recipe import RECIPES, Recipe

MINI = find_config("Mini")


def test_the_papers_is_the_papers():
    assert preset("paper", MINI) == RECIPES["cifar10"]
    assert preset("paper", find_config("D")) == RECIPES["imagenet"]


@pytest.mark.parametrize("name", ["small-data", "cpu"])
def test_the_others_choose_the_best_epoch_and_drop_no_paths(name):
    recipe = preset(name, MINI)
    assert recipe.holdout > 0
    assert (recipe.optimizer, recipe.drop_path) == ("adam", 0.0)
    assert recipe.epochs < RECIPES["cifar10"].epochs


def test_smaller_crops_are_for_cells_of_32_pixels():
    assert preset("cpu", MINI).small_crop == 24
    for config in (replace(MINI, image_size=16), find_config("bireal18"), find_config("D")):
        assert preset("cpu", config).small_crop == 0


def test_what_it_sets_is_told():
    told = differences(Recipe(epochs=3, flip=False), Recipe())
    assert told == "epochs 3, flip False"
    for name in PRESETS:
        assert differences(preset(name, MINI), RECIPES["cifar10"])
