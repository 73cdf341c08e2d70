"""What bnas-search shows: a progress bar, a line for each epoch, the cells found."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bnas_deploy.cli.common.run_folder import locked_out
from bnas_deploy.cli.train.display import tell_of_compiling
from bnas_deploy.errors import TrainingError
from bnas_deploy.search.loop import Row, Searcher, gamma_name
from bnas_deploy.search.record import SearchRecord
from bnas_deploy.search.result import account

__all__ = [
    "SearchDisplay",
    "SearchDisplayOptions",
]


@dataclass(frozen=True)
class SearchDisplayOptions:
    """How much to show and to keep.

    Attributes:
        checkpoint_minutes: Minutes between checkpoints within an epoch.
        pictures: Whether to draw curves and cells.
        quiet: Whether to leave out the progress bar and the epochs' lines.
    """

    checkpoint_minutes: float = 10.0
    pictures: bool = True
    quiet: bool = False


class SearchDisplay:
    """Searches and shows it; the files are written by a `SearchRecord`."""

    def __init__(self, searcher: Searcher, out: Path, options: SearchDisplayOptions) -> None:
        self._searcher = searcher
        self._record = SearchRecord(searcher, out, checkpoint_minutes=options.checkpoint_minutes)
        self._options = options
        self._bar: tqdm[Any] | None = None

    def run(self) -> bool:
        """Search to the end and return whether it was reached; a checkpoint is left either way.

        Raises:
            UsageError: The search's folder cannot be made, or another search is in it.
            TrainingError: The loss or the state is not a number.
        """
        with locked_out(self._record.folder):
            return self._run()

    def _run(self) -> bool:
        searcher = self._searcher
        tell_of_compiling(searcher.runtime)
        searcher.check_arithmetic()
        print(f"supernet: {self._size()}, {searcher.runtime}", file=sys.stderr)
        try:
            finished = searcher.run(self)
            self._record.save()
        except TrainingError as error:
            msg = f"{error}; {self._record.advice()}"
            raise TrainingError(msg) from error
        finally:
            self._close_bar()
        if finished:
            self._record.settle()
        self._record.finish(pictures=self._options.pictures)
        return finished

    def step(self, searcher: Searcher, row: Row) -> None:
        """Move the bar; save if it is time."""
        if self._bar is None and not self._options.quiet:
            self._bar = self._new_bar()
        if self._bar is not None:
            progress = searcher.progress
            self._bar.set_description(f"epoch {progress.epoch + 1}", refresh=False)
            self._bar.set_postfix(
                loss=f"{row['train_loss']:.3f}",
                search=f"{row['search_accuracy']:.1%}",
                refresh=False,
            )
            self._bar.update(self._done() - self._bar.n)
        self._record.step(searcher, row)

    def epoch(self, searcher: Searcher, row: Row) -> None:
        """Write the files; show a line."""
        self._record.epoch(searcher, row)
        if not self._options.quiet:
            tqdm.write(self._epoch_line(row), file=sys.stderr)

    def summary(self) -> dict[str, object]:
        """Return what --json prints."""
        return account(self._searcher, self._record.folder, times=self._record.times)

    def cells(self) -> str:
        """Return the cells found as text for people."""
        return "\n".join(
            f"gamma {gamma_name(gamma)}{self._time_of(gamma)}:\n{genotype.to_text()}"
            for gamma, genotype in self._searcher.genotypes().items()
        )

    def _time_of(self, gamma: float) -> str:
        times = self._record.times.get(gamma)
        if times is None:
            return ""
        measured = times.get("measured_ms")
        more = (
            f", {measured:.3f} measured"
            if measured
            else ", not measured: the table is of another machine or other kernels"
        )
        return f" ({times['predicted_ms']:.3f} ms predicted{more})"

    def _size(self) -> str:
        searcher = self._searcher
        count = sum(weight.numel() for weight in searcher.supernet.weights())
        return (
            f"{searcher.recipe.cells} cells of {len(searcher.supernet.space)} primitives an edge,"
            f" {count / 1e6:.2f} million weights, {searcher.steps_per_epoch} steps per epoch"
        )

    def _epoch_line(self, row: Row) -> str:
        done, epochs = int(row["epoch"]), self._searcher.recipe.epochs
        minutes = row["seconds"] / done * (epochs - done) / 60
        left = f", {max(minutes, 1):.0f} min left" if done < epochs else ""
        gamma = gamma_name(self._searcher.gammas[0])
        return (
            f"epoch {done}/{epochs}: loss {row['train_loss']:.3f}, accuracy"
            f" {row['train_accuracy']:.2%}, on the other half {row['search_accuracy']:.2%}; entropy"
            f" {row['entropy_normal']:.3f} and {row['entropy_reduce']:.3f}; learnable"
            f" {row[f'learnable_gamma_{gamma}']:.0%} (gamma {gamma}){self._told_time(row)}{left}"
        )

    def _told_time(self, row: Row) -> str:
        if self._searcher.timing is None:
            return ""
        within = row[f"ms_gamma_{gamma_name(self._searcher.gammas[0])}"]
        return (
            f"; {row['unbound_ms']:.3f} ms, kept {within:.3f} ms, weight of the time"
            f" {row['latency_weight']:.2f}"
        )

    def _done(self) -> int:
        progress = self._searcher.progress
        return progress.epoch * self._searcher.steps_per_epoch + progress.step

    def _new_bar(self) -> tqdm[Any]:
        # One bar for the whole search, so that the time left is that of the search.
        return tqdm(
            initial=self._done(),
            total=self._searcher.recipe.epochs * self._searcher.steps_per_epoch,
            unit="step",
            leave=False,
            mininterval=0.5 if sys.stderr.isatty() else 60.0,
        )

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
