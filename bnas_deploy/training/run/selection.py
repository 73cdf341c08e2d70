"""Measures a finished epoch, keeps the best one's weights, and lends them to what ships."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bnas_deploy.training.run.average import averaged
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
        _compare(trainer, row, "val_accuracy", averages=False)
    if trainer.average is not None:
        with averaged(trainer):
            if len(data.validation):
                _compare(trainer, row, "average_val_accuracy", averages=True)
            else:
                _keep(trainer, averages=True)
    if len(data.test) and (trainer.over or not len(data.validation)):
        with shipped(trainer):
            row["test_accuracy"] = trainer.evaluate(data.test, exact=trainer.over)


def _compare(trainer: Trainer, row: Row, name: str, *, averages: bool) -> None:
    """Measure the network on the validation images, and keep its weights if they are the best."""
    progress = trainer.progress
    row[name] = accuracy = trainer.evaluate(trainer.data.validation, exact=trainer.over)
    if accuracy > progress.best_accuracy or trainer.best is None:
        progress.best_epoch, progress.best_accuracy = progress.epoch, accuracy
        _keep(trainer, averages=averages)


def _keep(trainer: Trainer, *, averages: bool) -> None:
    state = trainer.network.state_dict()
    trainer.best = {name: value.detach().cpu().clone() for name, value in state.items()}
    trainer.progress.averaged = averages


@contextmanager
def shipped(trainer: Trainer) -> Iterator[None]:
    """Let the network have the weights that ship meanwhile: `Trainer.best`, or the last ones."""
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
