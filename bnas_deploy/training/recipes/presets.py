"""Recipes by what people have: few pictures, no GPU, or the paper's time."""

from __future__ import annotations

from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.training.recipes.recipe import RECIPES, Recipe

__all__ = ["PRESETS", "differences", "preset"]

_COMMON = {"optimizer": "adam", "schedule": "cosine", "drop_path": 0.0}

PRESETS: dict[str, dict[str, object]] = {
    "small-data": {
        **_COMMON,
        "epochs": 100,
        "batch": 32,
        "lr": 0.002,
        "label_smoothing": 0.1,
        "balance": "weights",
        "holdout": 0.2,
        "patience": 30,
    },
    "cpu": {**_COMMON, "epochs": 30, "batch": 128, "lr": 0.004, "holdout": 0.02},
    "paper": {},
}
"""What each sets; `paper` leaves everything as the paper has it for its kind of images."""

CROP = 24
"""Pixels of the crops with which `cpu` begins, where a network takes images of that size."""

_SMALL_CROP = {"small_crop": CROP, "small_crop_share": 0.75}


def preset(name: str, config: AnyConfig) -> Recipe:
    """Return the recipe of a preset for a network.

    Args:
        name: One of `PRESETS`.
        config: Cells for 32 pixels get smaller crops first under `cpu`.
    """
    values = dict(PRESETS[name])
    cells = isinstance(config, NetworkConfig) and config.template == "cells"
    if name == "cpu" and cells and config.image_size == 32 and not CROP % config.crop_unit:
        values.update(_SMALL_CROP)
    return Recipe.from_dict(values, RECIPES[config.dataset])


def differences(recipe: Recipe, base: Recipe) -> str:
    """Return, for people, what one recipe sets otherwise than another."""
    own, other = recipe.to_dict(), base.to_dict()
    found = [f"{name} {own[name]}" for name in own if own[name] != other[name]]
    return ", ".join(found) or "nothing, it is the default"
