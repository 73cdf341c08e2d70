"""What bnas-train shows and leaves behind: progress bar, metrics, checkpoints, the product."""

from __future__ import annotations

import csv
import io
import platform
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from tqdm import tqdm

from bnas_deploy import atomic
from bnas_deploy.cli.common.entry import USER_ERROR
from bnas_deploy.cli.common.run_folder import CHECKPOINT, make_out
from bnas_deploy.errors import TrainingError
from bnas_deploy.training.checkpoint import save_checkpoint
from bnas_deploy.training.device import torch_version
from bnas_deploy.training.events import EventWriter
from bnas_deploy.training.gradients import GRADIENTS, GradientRecorder, read_gradients
from bnas_deploy.training.loop import Trainer
from bnas_deploy.training.product import Model, save_model
from bnas_deploy.training.progress import Row

__all__ = [
    "COLUMNS",
    "METRICS",
    "MODEL",
    "Report",
    "ReportOptions",
    "Silent",
    "Stoppable",
    "stop_on_signals",
]

MODEL, METRICS = "model.pt", "metrics.csv"
COLUMNS = (
    *("epoch", "lr", "train_loss", "train_accuracy", "test_accuracy", "seconds"),
    *("epoch_seconds", "images_per_second", "estimated_seconds"),
)


class Stoppable(Protocol):
    """What stops after its step once `stop` is set."""

    stop: bool


@dataclass(frozen=True)
class ReportOptions:
    """How much to show and to keep.

    Attributes:
        checkpoint_minutes: Minutes between checkpoints within an epoch.
        csv: Whether to write metrics.csv.
        tensorboard: Whether to write TensorBoard events.
        quiet: Whether to leave out the progress bar.
        gradients: Whether to write gradients.csv.
    """

    checkpoint_minutes: float = 10.0
    csv: bool = True
    tensorboard: bool = False
    quiet: bool = False
    gradients: bool = False


class Report:
    """Observes a trainer; see `bnas_deploy.training.loop.Observer`."""

    def __init__(self, trainer: Trainer, out: Path, options: ReportOptions) -> None:
        self._trainer = trainer
        self._out = out
        self._options = options
        self._saved = time.monotonic()
        # Where the checkpoint stands that is there already, if one is.
        self._saved_at = (trainer.progress.epoch, trainer.progress.step)
        self._events = EventWriter(out / "tensorboard") if options.tensorboard else None
        self._bar: tqdm[Any] | None = None
        self._gradients = self._recorder() if options.gradients else None

    def run(self) -> bool:
        """Train to the end and return whether it was reached; a checkpoint is left either way.

        Raises:
            UsageError: The run's folder cannot be made.
            TrainingError: The loss, a gradient or a weight is not finite.
        """
        trainer = self._trainer
        make_out(self._out)
        print(f"{trainer.network.config.name}: {trainer.runtime}", file=sys.stderr)
        if trainer.initial is not None and not trainer.progress.history:
            print(_origin(trainer.initial), file=sys.stderr)
        done, epochs = trainer.progress.epoch, trainer.recipe.epochs
        if done == epochs:
            print(f"all {epochs} epochs are done; add --epochs N for more", file=sys.stderr)
        try:
            finished = trainer.run(self)
        except TrainingError as error:
            msg = f"{error}: {self._advice()}"
            raise TrainingError(msg) from error
        finally:
            self._close_bar()
        save_checkpoint(self._out / CHECKPOINT, trainer)
        if finished:
            # A kill between the last checkpoint and the last product is made good by resuming.
            self._save_product()
        return finished

    def step(self, trainer: Trainer, loss: float, accuracy: float) -> None:
        """Move the bar; save if it is time."""
        if self._bar is None and not self._options.quiet:
            self._bar = self._new_bar()
        if self._bar is not None:
            self._bar.update(trainer.progress.step - self._bar.n)
            self._bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.1%}", refresh=False)
        if time.monotonic() - self._saved > 60 * self._options.checkpoint_minutes:
            self._save()

    def epoch(self, trainer: Trainer, row: Row) -> None:
        """Write the metrics, the checkpoint and the product so far."""
        self._close_bar()
        if self._gradients is not None:
            self._gradients.finish(int(row["epoch"]))
            self._gradients.write(self._out / GRADIENTS)
        if self._events is not None:
            self._events.write(int(row["epoch"]), {k: v for k, v in row.items() if k != "epoch"})
        self._save()
        self._save_product()
        if not self._options.quiet:
            print(self._epoch_line(row), file=sys.stderr, flush=True)

    def summary(self) -> dict[str, object]:
        """Return what --json prints: the product's account of its training, and its file.

        The rows of the epochs are left to metrics.csv and model.pt.
        """
        training = {name: value for name, value in self._training().items() if name != "history"}
        return {"model": str(self._out / MODEL), **training}

    def _recorder(self) -> GradientRecorder:
        trainer, path = self._trainer, self._out / GRADIENTS
        recorder = GradientRecorder(trainer.network)
        if trainer.progress.epoch and path.exists():
            done = trainer.progress.epoch
            recorder.rows = [row for row in read_gradients(path) if row.epoch <= done]
        trainer.after_gradients = recorder.add
        return recorder

    def _advice(self) -> str:
        last, (epoch, step) = self._out / CHECKPOINT, self._saved_at
        if not last.exists():
            return "there is no checkpoint yet; begin again"
        after = f"{epoch} epochs" + (f" and {step} steps" if step else "")
        return f"go on from {last} (the last good one, after {after}) with --resume --lr N"

    def _save(self) -> None:
        save_checkpoint(self._out / CHECKPOINT, self._trainer)
        self._saved = time.monotonic()
        self._saved_at = (self._trainer.progress.epoch, self._trainer.progress.step)

    def _save_product(self) -> None:
        if self._options.csv:
            self._write_metrics()
        trainer = self._trainer
        model = Model(
            trainer.network, trainer.preprocessing, trainer.data.classes, self._training()
        )
        save_model(self._out / MODEL, model)

    def _training(self) -> dict[str, object]:
        trainer, history = self._trainer, self._trainer.progress.history
        tested = [row for row in history if "test_accuracy" in row]
        return {
            "dataset": trainer.data.name,
            "recipe": trainer.recipe.to_dict(),
            "seed": trainer.seed,
            "epochs": trainer.progress.epoch,
            "seconds": round(trainer.progress.seconds, 1),
            **_cost(history),
            "train_accuracy": history[-1]["train_accuracy"] if history else None,
            "test_accuracy": tested[-1]["test_accuracy"] if tested else None,
            "test_accuracy_epoch": int(tested[-1]["epoch"]) if tested else None,
            "runtime": str(trainer.runtime),
            "phases": trainer.phases,
            "initial": trainer.initial,
            "history": history,
            "torch": torch_version(),
            "python": platform.python_version(),
        }

    def _write_metrics(self) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(self._trainer.progress.history)
        atomic.write_text(self._out / METRICS, text.getvalue())

    def _epoch_line(self, row: Row) -> str:
        done = int(row["epoch"])
        epochs = self._trainer.recipe.epochs
        total = row["estimated_seconds"]
        left = f", {_time(total - row['seconds'])} left of {_time(total)}" if done < epochs else ""
        cost = f", {row['epoch_seconds']:.1f} s ({row['images_per_second']:.0f} images/s)"
        test = f", test {row['test_accuracy']:.2%}" if "test_accuracy" in row else ""
        return (
            f"epoch {done}/{epochs}: loss {row['train_loss']:.3f}, train"
            f" {row['train_accuracy']:.2%}{test}{cost}{left}"
        )

    def _new_bar(self) -> tqdm[Any]:
        progress = self._trainer.progress
        return tqdm(
            desc=f"epoch {progress.epoch + 1}/{self._trainer.recipe.epochs}",
            initial=progress.step,
            total=self._trainer.steps_per_epoch,
            unit="step",
            leave=False,
            mininterval=0.5 if sys.stderr.isatty() else 60.0,
        )

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Silent:
    """Observes a trainer of another process than the first: nothing is shown or kept."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def run(self) -> bool:
        """Train to the end and return whether it was reached."""
        try:
            return self._trainer.run(self)
        except TrainingError:
            # The first process meets the same and says so; both end with its status.
            sys.exit(USER_ERROR)

    def step(self, trainer: Trainer, loss: float, accuracy: float) -> None:
        """Show nothing."""

    def epoch(self, trainer: Trainer, row: Row) -> None:
        """Keep nothing."""


def _origin(initial: Mapping[str, Any]) -> str:
    new = ", ".join(initial["new"]) or "none"
    return f"starts from the weights of {initial['file']}; layers that begin anew: {new}"


def _cost(history: list[Row]) -> dict[str, float | None]:
    """Return what the last epoch cost; None where that was not measured."""
    last = history[-1] if history else {}
    names = ("epoch_seconds", "images_per_second", "estimated_seconds")
    return {name: round(last[name], 3) if name in last else None for name in names}


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@contextmanager
def stop_on_signals(trainer: Stoppable) -> Iterator[None]:
    """Make Ctrl-C and SIGTERM stop a trainer after its step; a second one stops at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        if trainer.stop:
            raise KeyboardInterrupt
        trainer.stop = True

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
