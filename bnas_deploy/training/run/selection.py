"""Measures a finished epoch, keeps the best one's weights, and lends them to what ships."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bnas_deploy.training.run.progress import Row

if TYPE_CHECKING:
    from bnas_deploy.training.run.loop import Trainer

__all__ = ["measure", "shipped"]


def measure(trainer: Trainer, row: Row) -> None:
    """Add the accuracies that are due to a finished epoch's row, and keep the best weights."""
    progress, data = trainer.progress, trainer.data
    if progress.epoch % trainer.recipe.evaluate_every and not trainer.over:
        return
    if len(data.validation):
        accuracy = trainer.evaluate(data.validation, exact=trainer.over)
        row["val_accuracy"] = accuracy
        if accuracy > progress.best_accuracy or trainer.best is None:
            progress.best_epoch, progress.best_accuracy = progress.epoch, accuracy
            state = trainer.network.state_dict()
            trainer.best = {name: value.detach().cpu().clone() for name, value in state.items()}
    if len(data.test) and (trainer.over or not len(data.validation)):
        with shipped(trainer):
            row["test_accuracy"] = trainer.evaluate(data.test, exact=trainer.over)


@contextmanager
def shipped(trainer: Trainer) -> Iterator[None]:
    """Let the network have the weights that ship meanwhile: the best epoch's, or the last's."""
    if trainer.best is None:
        yield
        return
    state = trainer.network.state_dict()
    last = {name: value.detach().clone() for name, value in state.items()}
    trainer.network.load_state_dict(trainer.best)
    try:
        yield
    finally:
        trainer.network.load_state_dict(last)
