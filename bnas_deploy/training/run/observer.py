"""What a trainer tells while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bnas_deploy.training.run.progress import Row

if TYPE_CHECKING:
    from bnas_deploy.training.run.loop import Trainer

__all__ = ["Observer"]


class Observer(Protocol):
    """What a trainer tells while it runs."""

    def step(self, trainer: Trainer, loss: float, accuracy: float) -> None:
        """Take the means of this epoch so far; called every few steps."""

    def epoch(self, trainer: Trainer, row: Row) -> None:
        """Take a finished epoch's metrics."""
