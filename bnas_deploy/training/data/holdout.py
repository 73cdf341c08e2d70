"""Holds out a part of the training images, class by class, to choose the best epoch by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import DataError
from bnas_deploy.training.data.images import ImageData
from bnas_deploy.training.data.stream import StreamedData
from bnas_deploy.training.recipes.recipe import Recipe

__all__ = ["SHARE", "hold_out"]

SHARE = 0.1
"""What is held out where there are no other images to measure on, unless the recipe says more."""


def hold_out(data: ImageData | StreamedData, recipe: Recipe) -> ImageData | StreamedData:
    """Return the data with a validation part; as it is, if it has one or the recipe wants none.

    Args:
        data: As it was read.
        recipe: Share and seed.

    Raises:
        DataError: A class has a single image.
    """
    share = recipe.holdout if recipe.holdout or len(data.test) else SHARE
    if len(data.validation) or not share:
        return data
    held = _held(data.train.labels, data.classes, share, recipe.holdout_seed)
    kept, held_out = np.flatnonzero(~held), np.flatnonzero(held)
    if isinstance(data, ImageData):
        train, validation = data.train.chosen(kept), data.train.chosen(held_out)
        return replace(data, train=train, validation=validation)
    files, held_files = data.train.chosen(kept), data.train.chosen(held_out)
    return replace(data, train=files, validation=held_files)


def _held(
    labels: npt.NDArray[np.int64], classes: tuple[str, ...], share: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Return which images are held out: of each class its share, at least one and never all."""
    held = np.zeros(len(labels), bool)
    rng = np.random.default_rng(seed)
    for label, name in enumerate(classes):
        own = np.flatnonzero(labels == label)
        if len(own) < 2:
            msg = (
                f"{name} has {len(own)} picture to learn from, and one has to be held out to choose"
                " the best epoch by; add pictures of it, or a folder val"
            )
            raise DataError(msg)
        count = min(max(round(share * len(own)), 1), len(own) - 1)
        held[rng.choice(own, count, replace=False)] = True
    return held
