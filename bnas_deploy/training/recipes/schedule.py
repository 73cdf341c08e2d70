"""Learning rate, momentum, drop-path and size of crops as functions of how much is done."""

from __future__ import annotations

import math

import numpy as np

from bnas_deploy.training.recipes.recipe import Recipe

__all__ = [
    "FINAL_SHARE",
    "TRIANGLE",
    "WARM_SHARE",
    "crop_size",
    "drop_path",
    "has_real_weights",
    "mixed_share",
    "one_cycle",
    "rate_and_momentum",
]

WARM_SHARE = 0.05
"""One-cycle starts and ends its triangle at this share of the peak."""

FINAL_SHARE = 0.0005
"""One-cycle's last tenth anneals towards this share of the peak."""

TRIANGLE = 0.9
"""Share of the run that the triangle takes."""


def rate_and_momentum(recipe: Recipe, done: float, epochs: float = 0.0) -> tuple[float, float]:
    """Return the learning rate and momentum of a step.

    Args:
        recipe: Which schedule, its peak and swing.
        done: Share of the whole run, from 0 to 1.
        epochs: The same in epochs, counted from 0 (cosine-restarts and constant-cosine only).
    """
    if recipe.schedule == "one-cycle":
        return one_cycle(recipe, done)
    if recipe.schedule == "cosine-restarts":
        done = epochs % recipe.restart_epochs / recipe.restart_epochs
    if recipe.schedule == "constant-cosine":
        return recipe.lr * _plateau(recipe, done, epochs), recipe.momentum
    return recipe.lr * _cosine(done), recipe.momentum


def _plateau(recipe: Recipe, done: float, epochs: float) -> float:
    """Return the share of the peak: up in a line, constant, down by a cosine."""
    if epochs < recipe.warmup_epochs:
        return epochs / recipe.warmup_epochs
    left = 1 - done
    return _cosine(1 - left / recipe.decay_share) if left < recipe.decay_share else 1.0


def _cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done))


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


def crop_size(recipe: Recipe, done: float) -> int:
    """Return the pixels of an epoch's crops, `done` at its start; 0: those of the images."""
    return recipe.small_crop if _is_among_first(recipe, recipe.small_crop_share, done) else 0


def has_real_weights(recipe: Recipe, done: float) -> bool:
    """Whether an epoch computes with latent weights themselves, `done` at its start."""
    return _is_among_first(recipe, recipe.real_weights_share, done)


def _is_among_first(recipe: Recipe, share: float, done: float) -> bool:
    # Half an epoch earlier or later: so that a share of a few epochs is rounded.
    return done < share - 0.5 / recipe.epochs


def mixed_share(recipe: Recipe, seed: int, epoch: int, step: int) -> float:
    """Return the share that an image keeps in a step of MixUp, at least a half; 1 without MixUp."""
    if not recipe.mixup:
        return 1.0
    share = float(np.random.default_rng((seed, epoch, step)).beta(recipe.mixup, recipe.mixup))
    return max(share, 1 - share)


def drop_path(recipe: Recipe, done: float) -> float:
    """Return the drop-path probability of an epoch, `done` at its start (DARTS: linear in it)."""
    return recipe.drop_path * done
