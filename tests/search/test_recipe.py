"""Tests of the search's recipe: the paper's numbers, and what is refused."""

from __future__ import annotations

import pytest

from bnas_deploy.errors import ConfigError
from bnas_deploy.search.recipe import PRESETS, SearchRecipe


def test_the_paper_preset():
    recipe = PRESETS["paper"]
    assert (recipe.cells, recipe.channels, recipe.epochs, recipe.batch) == (8, 16, 50, 64)
    assert (recipe.lr, recipe.min_lr, recipe.momentum, recipe.weight_decay) == (
        *(0.025, 0.001, 0.9, 3e-4),
    )
    assert (recipe.arch_lr, recipe.arch_weight_decay) == (3e-4, 1e-3)
    assert (recipe.diversity, recipe.tau, recipe.images) == (1.0, 7.7, 0)
    assert len(recipe.space) == 7


def test_a_mapping_and_back():
    recipe = SearchRecipe(cells=3, zeroise=False)
    assert SearchRecipe.from_dict(recipe.to_dict()) == recipe
    assert SearchRecipe.from_dict({"epochs": 1}, recipe).cells == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cells": 2}, "cells must be from 3"),
        ({"image_size": 10}, "multiple of 4"),
        ({"tau": 0.0}, "tau must be"),
        ({"diversity": float("nan")}, "diversity must be"),
        ({"epochs": 1.5}, "epochs must be of type int"),
        ({"flip": 1}, "flip must be of type bool"),
        ({"batch": True}, "batch must be of type int"),
        ({"gamma": 1}, "unknown keys gamma; known are cells"),
        ([], "a mapping of its fields; got list"),
    ],
)
def test_what_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        SearchRecipe.from_dict(change)
