"""Starts a search: from a recipe and a path of data to a `Searcher`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import torch

from bnas_deploy.errors import DataError, UsageError
from bnas_deploy.search.loop import GAMMAS, Searcher
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.search.supernet import Supernet
from bnas_deploy.search.timing import Timing
from bnas_deploy.training.data.images import ImageData, load_data
from bnas_deploy.training.data.preprocessing import PREPROCESSING
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.run.start import SEED_LIMIT

__all__ = [
    "fresh_searcher",
    "read_images",
]


def read_images(data_path: str | os.PathLike[str], recipe: SearchRecipe) -> ImageData:
    """Read the images that a recipe asks for.

    Raises:
        DataError: The data cannot be read or has a single class.
    """
    data = load_data(data_path, image_size=recipe.image_size)
    if len(data.classes) < 2:
        msg = f"{data_path}: expected at least two classes; found {', '.join(data.classes)}"
        raise DataError(msg)
    if recipe.images:
        data = replace(data, train=data.train.take(recipe.images))
    return data


def fresh_searcher(
    data: ImageData,
    *,
    recipe: SearchRecipe,
    runtime: Runtime,
    seed: int = 0,
    gammas: Sequence[float] = GAMMAS,
    timing: Timing | None = None,
) -> Searcher:
    """Build a searcher at its start.

    Args:
        data: See `read_images`.
        recipe: How to search.
        runtime: Where.
        seed: Of weights, architecture parameters, split, order and augmentation.
        gammas: Of Eq. 5.
        timing: Of the network that the cells are for, with the same recipe, where time counts.

    Raises:
        UsageError: The seed is out of range.
    """
    if not 0 <= seed < SEED_LIMIT:
        msg = f"seed: expected 0 to {SEED_LIMIT - 1}; got {seed}"
        raise UsageError(msg)
    torch.manual_seed(seed)
    size = (recipe.image_size, recipe.image_size)
    return Searcher(
        Supernet(recipe, len(data.classes)),
        data,
        recipe=recipe,
        preprocessing=replace(PREPROCESSING["cifar10"], resize=max(size), crop=size),
        runtime=runtime,
        seed=seed,
        gammas=gammas,
        timing=timing,
    )
