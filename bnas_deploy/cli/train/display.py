"""What bnas-train shows: a progress bar, a line for each epoch; and stopping on signals."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bnas_deploy.cli.common.entry import USER_ERROR
from bnas_deploy.cli.common.run_folder import locked_out
from bnas_deploy.errors import TrainingError
from bnas_deploy.runtime.class_folders import told_of_skipped
from bnas_deploy.shown import safe
from bnas_deploy.training.data.classes import told_of_classes
from bnas_deploy.training.data.images import ImageData
from bnas_deploy.training.data.stream import StreamedData
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.machine.heap import keep_freed_memory
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.record.report import report_on_training
from bnas_deploy.training.record.run_files import MODEL
from bnas_deploy.training.record.run_record import RunRecord, RunRecordOptions
from bnas_deploy.training.run.loop import Trainer
from bnas_deploy.training.run.progress import Row, is_stale

__all__ = [
    "Silent",
    "TrainingDisplay",
    "tell_of_compiling",
]


class TrainingDisplay:
    """Trains and shows it; the files are written by a `RunRecord`.

    Args:
        trainer: The run.
        out: Its folder.
        options: How much to keep there.
        quiet: Whether to leave out the progress bar and the epochs' lines.
    """

    def __init__(
        self, trainer: Trainer, out: Path, options: RunRecordOptions, *, quiet: bool = False
    ) -> None:
        self._trainer = trainer
        self._record = RunRecord(trainer, out, options)
        self._quiet = quiet
        self._bar: tqdm[Any] | None = None
        self._page: Path | None = None

    def run(self) -> bool:
        """Train to the end and return whether it was reached; a checkpoint is left either way.

        Raises:
            UsageError: The run's folder cannot be made, or another run is in it.
            TrainingError: The loss, a gradient or a weight is not finite.
        """
        with locked_out(self._record.folder):
            return self._run()

    def _run(self) -> bool:
        trainer = self._trainer
        tell_of_compiling(trainer.runtime)
        keeps = trainer.runtime.device == "cpu" and keep_freed_memory()
        trainer.check_arithmetic()
        self._introduce("; freed memory is kept for the next step" if keeps else "")
        try:
            finished = trainer.run(self)
        except TrainingError as error:
            msg = f"{error}: {self._record.advice()}"
            raise TrainingError(msg) from error
        finally:
            self._close_bar()
        self._record.save()
        if finished:
            # A kill between the last checkpoint and the last model.pt is made good by resuming.
            self._record.save_model_file()
            self._report()
        return finished

    def _report(self) -> None:
        """Write the page about what ships, and say where it is."""
        self._page = report_on_training(self._trainer, self._record.folder)
        if self._page is not None and not self._quiet:
            print(f"report: {safe(str(self._page))}", file=sys.stderr)

    def step(self, trainer: Trainer, loss: float, accuracy: float) -> None:
        """Move the bar; save if it is time."""
        if self._bar is None and not self._quiet:
            self._bar = self._new_bar()
        if self._bar is not None:
            self._bar.update(trainer.progress.step - self._bar.n)
            self._bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.1%}", refresh=False)
        self._record.step(trainer, loss, accuracy)

    def epoch(self, trainer: Trainer, row: Row) -> None:
        """Write the files; show a line."""
        self._close_bar()
        self._record.epoch(trainer, row)
        if not self._quiet:
            print(self._epoch_line(row), file=sys.stderr, flush=True)

    def summary(self) -> dict[str, object]:
        """Return what --json prints: the account of the training that model.pt holds, and its file.

        The rows of the epochs are left to metrics.csv and model.pt.
        """
        account = self._record.account()
        training = {name: value for name, value in account.items() if name != "history"}
        page = None if self._page is None else str(self._page)
        return {"model": str(self._record.folder / MODEL), "report": page, **training}

    def _introduce(self, memory: str) -> None:
        """Say what begins or goes on; where its weights come from is said once, at the start.

        Args:
            memory: What to say of it in the first line.
        """
        trainer, progress = self._trainer, self._trainer.progress
        clock = "; the rate follows the clock, so no two runs are alike"
        clock = clock if trainer.recipe.hours else ""
        print(f"{trainer.network.config.name}: {trainer.runtime}{memory}{clock}", file=sys.stderr)
        if trainer.initial is not None and (progress.epoch, progress.step) == (0, 0):
            print(_origin(trainer.initial), file=sys.stderr)
        if trainer.teacher is not None:
            share = f"{trainer.recipe.distill:g} of the loss is the teacher's"
            print(f"{share}: {trainer.teacher}", file=sys.stderr)
        if trainer.over:
            print(_nothing_left(trainer), file=sys.stderr)
        for line in told_of_data(trainer.data, trainer.recipe):
            print(line, file=sys.stderr)
        self._record.save_skipped()

    def _epoch_line(self, row: Row) -> str:
        total = row["estimated_seconds"]
        left = f", {_time(total - row['seconds'])} left of {_time(total)}"
        left = "" if self._trainer.over else left
        cost = f", {row['epoch_seconds']:.1f} s ({row['images_per_second']:.0f} images/s)"
        test = "".join(
            f", {name} {row[key]:.2%}"
            for name in ("val", "average val", "test")
            if (key := f"{name.replace(' ', '_')}_accuracy") in row
        )
        return (
            f"{self._epoch_name(int(row['epoch']))}: loss {row['train_loss']:.3f}, train"
            f" {row['train_accuracy']:.2%}{test}{cost}{left}"
        )

    def _new_bar(self) -> tqdm[Any]:
        progress = self._trainer.progress
        return tqdm(
            desc=self._epoch_name(progress.epoch + 1),
            initial=progress.step,
            total=self._trainer.batches.per_epoch,
            unit="step",
            leave=False,
            mininterval=0.5 if sys.stderr.isatty() else 60.0,
        )

    def _epoch_name(self, epoch: int) -> str:
        recipe = self._trainer.recipe
        return f"epoch {epoch}" if recipe.hours else f"epoch {epoch}/{recipe.epochs}"

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


def told_of_data(data: ImageData | StreamedData, recipe: Recipe) -> list[str]:
    """Return lines for people: what ships, uneven classes, and which files were left out."""
    last = "the running mean of the weights" if recipe.average else "the last epoch"
    ships = (
        f"model.pt will be the best epoch by {len(data.validation)} validation images"
        if len(data.validation)
        else f"no validation images: model.pt will be {last}; see --holdout"
    )
    return [
        ships,
        *told_of_classes(data.train.labels, data.classes, recipe.balance),
        *told_of_skipped(data.skipped),
    ]


def _nothing_left(trainer: Trainer) -> str:
    recipe = trainer.recipe
    if is_stale(recipe, trainer.progress):
        best = trainer.progress.best_epoch
        return f"no epoch was better than {best}; add --patience N to go on (0: to the end)"
    if trainer.progress.epoch >= recipe.epochs:
        return f"all {recipe.epochs} epochs are done; add --epochs N for more"
    return f"all {recipe.hours:g} hours are over; add --hours N for more"


def tell_of_compiling(runtime: Runtime) -> None:
    """Announce a silent wait, if there will be one."""
    if runtime.compiles_units:
        print("compiling the fused units, once for all runs", file=sys.stderr, flush=True)


def _origin(initial: Mapping[str, Any]) -> str:
    new = ", ".join(initial["new"]) or "none"
    how = "".join(f"; {note}" for note in initial.get("notes", ()))
    return f"starts from the weights of {initial['file']}{how}; layers that begin anew: {new}"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
