"""What a run leaves in its folder: checkpoint, model.pt, metrics, gradients, TensorBoard events."""

from __future__ import annotations

import csv
import io
import platform
import time
from collections.abc import Sized
from dataclasses import dataclass
from pathlib import Path

from bnas_deploy import atomic
from bnas_deploy.shown import safe
from bnas_deploy.training.data.images import ImageData
from bnas_deploy.training.data.stream import StreamedData
from bnas_deploy.training.machine.device import torch_version
from bnas_deploy.training.model.trained_model import TrainedModel, save_model
from bnas_deploy.training.record.events import EventWriter
from bnas_deploy.training.record.gradients import GRADIENTS, GradientRecorder, read_gradients
from bnas_deploy.training.record.run_files import BEST, CHECKPOINT, METRICS, MODEL, SKIPPED
from bnas_deploy.training.run.checkpoint import save_checkpoint
from bnas_deploy.training.run.loop import Trainer
from bnas_deploy.training.run.progress import Row
from bnas_deploy.training.run.selection import shipped

__all__ = ["COLUMNS", "RunRecord", "RunRecordOptions"]

COLUMNS = (
    *("epoch", "lr", "train_loss", "train_accuracy"),
    *("val_accuracy", "average_val_accuracy", "test_accuracy", "seconds"),
    *("epoch_seconds", "images_per_second", "estimated_seconds"),
)


@dataclass(frozen=True)
class RunRecordOptions:
    """How much to keep.

    Attributes:
        checkpoint_minutes: Minutes between checkpoints within an epoch.
        csv: Whether to write metrics.csv.
        tensorboard: Whether to write TensorBoard events.
        gradients: Whether to write gradients.csv.
    """

    checkpoint_minutes: float = 10.0
    csv: bool = True
    tensorboard: bool = False
    gradients: bool = False


class RunRecord:
    """Writes a run's files while it is trained; an observer of a `Trainer`.

    Args:
        trainer: The run, as it begins or goes on.
        folder: Where the files lie; must exist by the first step.
        options: How much to keep.

    Raises:
        UsageError: TensorBoard events are wanted, and tensorboard is not installed.
    """

    def __init__(self, trainer: Trainer, folder: Path, options: RunRecordOptions) -> None:
        self.folder = folder
        self._trainer = trainer
        self._options = options
        self._saved = time.monotonic()
        # Where the checkpoint stands that is there already, if one is.
        self._saved_at = (trainer.progress.epoch, trainer.progress.step)
        self._events = EventWriter(folder / "tensorboard") if options.tensorboard else None
        self._gradients = self._recorder() if options.gradients else None

    def step(self, trainer: Trainer, loss: float, accuracy: float) -> None:
        """Save a checkpoint if it is time."""
        if time.monotonic() - self._saved > 60 * self._options.checkpoint_minutes:
            self.save()

    def epoch(self, trainer: Trainer, row: Row) -> None:
        """Write the metrics, the checkpoint and model.pt so far."""
        if self._gradients is not None:
            self._gradients.finish(int(row["epoch"]))
            self._gradients.write(self.folder / GRADIENTS)
        if self._events is not None:
            self._events.write(int(row["epoch"]), {k: v for k, v in row.items() if k != "epoch"})
        self.save()
        self.save_model_file()

    def save(self) -> None:
        """Write the checkpoint.

        Raises:
            TrainingError: A weight or statistic is not finite; an older file is left as it is.
        """
        save_checkpoint(self.folder / CHECKPOINT, self._trainer)
        self._saved = time.monotonic()
        self._saved_at = (self._trainer.progress.epoch, self._trainer.progress.step)

    def save_model_file(self) -> None:
        """Write the network that ships so far, and the metrics if they are wanted.

        Where there are validation images it is the best epoch's, which best.pt has, too; the last
        epoch's weights are in the checkpoint.
        """
        if self._options.csv:
            self._write_metrics()
        trainer = self._trainer
        with shipped(trainer):
            model = TrainedModel(
                trainer.network, trainer.preprocessing, trainer.data.classes, self.account()
            )
            save_model(self.folder / MODEL, model)
            if trainer.progress.best_epoch:
                save_model(self.folder / BEST, model)

    def save_skipped(self) -> None:
        """Write the names of the files that were left out of the data, if any were."""
        skipped = self._trainer.data.skipped
        lines = [f"{reason}: {safe(name)}\n" for reason in skipped for name in skipped[reason]]
        if lines:
            atomic.write_text(self.folder / SKIPPED, "".join(lines))

    def advice(self) -> str:
        """Say how to go on after the numbers stopped being finite."""
        last, (epoch, step) = self.folder / CHECKPOINT, self._saved_at
        if not last.exists():
            return "there is no checkpoint yet; begin again"
        after = f"{epoch} epochs" + (f" and {step} steps" if step else "")
        return f"go on from {last} (the last good one, after {after}) with --resume --lr N"

    def account(self) -> dict[str, object]:
        """Return what model.pt says of its training."""
        trainer, history = self._trainer, self._trainer.progress.history
        tested = [row for row in history if "test_accuracy" in row]
        progress, counts = trainer.progress, map(len, _parts(trainer.data))
        of_best = progress.best_epoch or None
        return {
            "dataset": trainer.data.name,
            "recipe": trainer.recipe.to_dict(),
            "seed": trainer.seed,
            "epochs": trainer.progress.epoch,
            "seconds": round(trainer.progress.seconds, 1),
            **_cost(history),
            "train_accuracy": history[-1]["train_accuracy"] if history else None,
            "test_accuracy": tested[-1]["test_accuracy"] if tested else None,
            "test_accuracy_epoch": (of_best or int(tested[-1]["epoch"])) if tested else None,
            "validation_accuracy": progress.best_accuracy if of_best else None,
            "best_epoch": of_best,
            "averaged": progress.averaged,
            "images": dict(zip(("train", "validation", "test"), counts, strict=True)),
            "skipped": {reason: len(names) for reason, names in trainer.data.skipped.items()},
            "runtime": str(trainer.runtime),
            "phases": trainer.phases,
            "initial": trainer.initial,
            "teacher": None if trainer.teacher is None else trainer.teacher.account(),
            "history": history,
            "torch": torch_version(),
            "python": platform.python_version(),
        }

    def _recorder(self) -> GradientRecorder:
        trainer, path = self._trainer, self.folder / GRADIENTS
        recorder = GradientRecorder(trainer.network)
        if trainer.progress.epoch and path.exists():
            done = trainer.progress.epoch
            recorder.rows = [row for row in read_gradients(path) if row.epoch <= done]
        trainer.after_gradients = recorder.add
        return recorder

    def _write_metrics(self) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(self._trainer.progress.history)
        atomic.write_text(self.folder / METRICS, text.getvalue())


def _parts(data: ImageData | StreamedData) -> tuple[Sized, Sized, Sized]:
    return data.train, data.validation, data.test


def _cost(history: list[Row]) -> dict[str, float | None]:
    """Return what the last epoch cost; None where that was not measured."""
    last = history[-1] if history else {}
    names = ("epoch_seconds", "images_per_second", "estimated_seconds")
    return {name: round(last[name], 3) if name in last else None for name in names}
