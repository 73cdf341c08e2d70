"""Where a run stands: finished epochs and steps, metrics and phases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bnas_deploy.training.recipes.recipe import Recipe

__all__ = [
    "Phase",
    "Progress",
    "Row",
    "done",
    "done_before_epoch",
    "estimate",
    "is_over",
    "is_stale",
    "note_phase",
]

_RECENT = 5
"""Epochs whose cost tells that of those to come."""

Row = dict[str, float]
"""One line of the metrics.

epoch, lr, train_loss, train_accuracy, val_accuracy and average_val_accuracy (of the
averaged weights; if measured), test_accuracy (if measured; where
there are validation images only at the end, of the best epoch), seconds (so far, in all),
epoch_seconds (of this epoch, evaluation included), images_per_second (of its training alone),
estimated_seconds (of the whole run).
"""

Phase = dict[str, int | float | str]
"""A part of a run: from_epoch, from_step, epochs, lr, runtime."""


@dataclass
class Progress:
    """Where a run stands; everything a checkpoint needs beside weights and generators.

    Attributes:
        epoch: Finished epochs.
        step: Finished steps of the epoch that has begun.
        loss: Sum of the losses of those steps.
        correct: Images of those steps that were classified correctly.
        seconds: Time spent so far.
        epoch_seconds: Part of it that went into training the epoch that has begun.
        history: Metrics of the finished epochs.
        best_epoch: The best of them by the validation images; 0: none yet.
        best_accuracy: Its accuracy on them.
        averaged: Whether what ships are averaged weights.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    history: list[Row] = field(default_factory=list)
    best_epoch: int = 0
    best_accuracy: float = 0.0
    averaged: bool = False


def done(recipe: Recipe, progress: Progress, per_epoch: int) -> float:
    """Return how much of a run is done, from 0 to 1: by the clock, or by its steps.

    The last step of a run by steps has 1.
    """
    if recipe.hours:
        return min(1.0, progress.seconds / (3600 * recipe.hours))
    steps = progress.epoch * per_epoch + progress.step
    return steps / max(recipe.epochs * per_epoch - 1, 1)


def done_before_epoch(recipe: Recipe, progress: Progress) -> float:
    """Return how much of a run is done when an epoch begins."""
    return done(recipe, progress, 0) if recipe.hours else progress.epoch / recipe.epochs


def is_over(recipe: Recipe, progress: Progress) -> bool:
    """Whether all epochs are done, or the time is, or no epoch was better for too long."""
    late = recipe.hours > 0 and progress.seconds >= 3600 * recipe.hours
    return progress.epoch >= recipe.epochs or late or is_stale(recipe, progress)


def is_stale(recipe: Recipe, progress: Progress) -> bool:
    """Whether the recipe's patience is at its end."""
    since = progress.epoch - progress.best_epoch
    return progress.best_epoch > 0 and 0 < recipe.patience <= since


def estimate(recipe: Recipe, progress: Progress) -> float:
    """Return the seconds of the whole run if the epochs to come cost what the last few did."""
    if recipe.hours:
        return max(progress.seconds, 3600 * recipe.hours)
    costs = [row["epoch_seconds"] for row in progress.history if "epoch_seconds" in row]
    recent = costs[-_RECENT:]
    return progress.seconds + (recipe.epochs - progress.epoch) * sum(recent) / len(recent)


def note_phase(phases: list[Phase], recipe: Recipe, progress: Progress, runtime: str) -> None:
    """Add a phase if length, peak rate or runtime are not those of the last one."""
    now: Phase = {"epochs": recipe.epochs, "lr": recipe.lr, "runtime": runtime}
    if not phases or not now.items() <= phases[-1].items():
        phases.append({"from_epoch": progress.epoch, "from_step": progress.step, **now})
