"""Equal hours as numbers of epochs, so that recipes of one cost can be repeated on any machine.

Machines differ and are busy, so hours of the clock are neither equal nor repeatable. A cost here is
that of one quiet core: the time of each kind of work on an image, measured once, times the images.
"""

from __future__ import annotations

from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.recipes.schedule import crop_size

__all__ = ["AVERAGE_IMAGES", "SECONDS", "epoch_seconds", "epochs_in", "run_hours"]

_STEP = 1 / 120
SECONDS = {
    "training": {32: _STEP, 24: 1 / 208},
    "teacher": {32: 0.074 * _STEP, 24: 0.048 * _STEP},
    "evaluation": {32: 0.354 * _STEP},
}
"""Seconds that an image takes, by work and pixels: BNAS-Mini with `pool1x1`, batches of 128,
bfloat16 with fused units, on one quiet core of a Zen 4; the teacher is `bireal20` in floats. The
shares of a step are of processor time, the least of five, measured in turns in one process."""

AVERAGE_IMAGES = 4096
"""From which the statistics of averaged weights are taken, after each epoch."""


def epoch_seconds(recipe: Recipe, images: int, *, epoch: int, teacher: bool) -> float:
    """Return what an epoch costs, the evaluation at its end included.

    Args:
        recipe: Of images of 32 pixels.
        images: For training and validation together.
        epoch: Counted from 0.
        teacher: Whether there is one.
    """
    held_out = round(recipe.holdout * images)
    size = crop_size(recipe, epoch / recipe.epochs) or 32
    kinds = ("training", "teacher") if teacher else ("training",)
    evaluated = held_out * (2 if recipe.average else 1)
    evaluated += AVERAGE_IMAGES if recipe.average else 0
    training = sum(SECONDS[kind][size] for kind in kinds) * (images - held_out)
    return training + SECONDS["evaluation"][32] * evaluated


def run_hours(recipe: Recipe, images: int, *, teacher: bool = False) -> float:
    """Return the hours that a whole run costs."""
    epochs = range(recipe.epochs)
    return sum(epoch_seconds(recipe, images, epoch=e, teacher=teacher) for e in epochs) / 3600


def epochs_in(hours: float, recipe: Recipe, images: int, *, teacher: bool = False) -> Recipe:
    """Return a recipe with the most epochs that cost no more than some hours; at least one."""
    longest = Recipe.from_dict({"epochs": 1}, recipe)
    for epochs in range(1, recipe.epochs + 1):
        longer = Recipe.from_dict({"epochs": epochs}, recipe)
        if run_hours(longer, images, teacher=teacher) > hours:
            break
        longest = longer
    return longest
