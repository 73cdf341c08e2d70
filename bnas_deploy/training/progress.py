"""Where a run stands: finished epochs and steps, metrics and phases."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "Phase",
    "Progress",
    "Row",
]

Row = dict[str, float]
"""One line of the metrics.

epoch, lr, train_loss, train_accuracy, test_accuracy (if measured), seconds (so far, in all),
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
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    history: list[Row] = field(default_factory=list)
