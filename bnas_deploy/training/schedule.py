"""Learning rate, momentum and drop-path as functions of the step."""

from __future__ import annotations

import math

from bnas_deploy.training.recipe import Recipe

__all__ = [
    "FINAL_SHARE",
    "TRIANGLE",
    "WARM_SHARE",
    "crop_size",
    "drop_path",
    "one_cycle",
    "rate_and_momentum",
]

WARM_SHARE = 0.05
"""One-cycle starts and ends its triangle at this share of the peak."""

FINAL_SHARE = 0.0005
"""One-cycle's last tenth anneals towards this share of the peak."""

TRIANGLE = 0.9
"""Share of the run that the triangle takes."""


def rate_and_momentum(recipe: Recipe, step: int, steps: int, per_epoch: int) -> tuple[float, float]:
    """Return the learning rate and momentum of a step.

    Args:
        recipe: Which schedule, its peak and swing.
        step: Counted from 0 over the whole run.
        steps: Of the whole run.
        per_epoch: Steps of an epoch.
    """
    if recipe.schedule == "one-cycle":
        return one_cycle(recipe, step / max(steps - 1, 1))
    if recipe.schedule == "cosine":
        return 0.5 * recipe.lr * (1 + math.cos(math.pi * step / steps)), recipe.momentum
    period = recipe.restart_epochs * per_epoch
    return 0.5 * recipe.lr * (1 + math.cos(math.pi * (step % period) / period)), recipe.momentum


def one_cycle(recipe: Recipe, progress: float) -> tuple[float, float]:
    """Return learning rate and momentum at a point between 0 and 1 of the run.

    A triangle from 0.05 of the peak up to it and back over the first nine tenths, while momentum
    swings the other way; then down to 0.0005 of the peak at high momentum (the release's schedule).
    """
    if progress >= TRIANGLE:
        left = (1 - progress) / (1 - TRIANGLE)
        share = FINAL_SHARE + (WARM_SHARE - FINAL_SHARE) * left
        return recipe.lr * share, recipe.momentum + recipe.momentum_swing
    height = 1 - abs(2 * progress / TRIANGLE - 1)
    share = WARM_SHARE + (1 - WARM_SHARE) * height
    return recipe.lr * share, recipe.momentum + recipe.momentum_swing * (1 - 2 * height)


def crop_size(recipe: Recipe, epoch: int) -> int:
    """Return the pixels of the crops of an epoch counted from 0; 0: those of the images."""
    return recipe.small_crop if epoch < round(recipe.small_crop_share * recipe.epochs) else 0


def drop_path(recipe: Recipe, epoch: int) -> float:
    """Return the drop-path probability of an epoch counted from 0 (DARTS: linear in the epoch)."""
    return recipe.drop_path * epoch / recipe.epochs
