"""Writes what a search leaves in its folder, while it searches."""

from __future__ import annotations

import time
from pathlib import Path

from bnas_deploy.search.checkpoint import save_search
from bnas_deploy.search.loop import Row, Searcher
from bnas_deploy.search.result import write_pictures, write_result
from bnas_deploy.training.record.run_files import CHECKPOINT

__all__ = ["SearchRecord"]


class SearchRecord:
    """Writes a search's checkpoints and results; an observer of a `Searcher`.

    Args:
        searcher: The search, as it begins or goes on.
        folder: Where the files lie; must exist by the first step.
        checkpoint_minutes: Minutes between checkpoints within an epoch.
    """

    def __init__(
        self, searcher: Searcher, folder: Path, *, checkpoint_minutes: float = 10.0
    ) -> None:
        self.folder = folder
        self._searcher = searcher
        self._minutes = checkpoint_minutes
        self._saved = time.monotonic()
        self.times: dict[float, dict[str, float]] = {}

    def step(self, searcher: Searcher, row: Row) -> None:
        """Save a checkpoint if it is time."""
        if time.monotonic() - self._saved > 60 * self._minutes:
            self.save()

    def epoch(self, searcher: Searcher, row: Row) -> None:
        """Save, and write the cells and metrics so far."""
        self.save()
        write_result(searcher, self.folder)

    def save(self) -> None:
        """Write the checkpoint.

        Raises:
            TrainingError: A number of the state is not finite; an older file is left as it is.
        """
        save_search(self.folder / CHECKPOINT, self._searcher)
        self._saved = time.monotonic()

    def finish(self, *, pictures: bool) -> None:
        """Write the result, which makes good a kill after the last checkpoint, and draw it."""
        write_result(self._searcher, self.folder, times=self.times)
        if pictures:
            write_pictures(self._searcher, self.folder)

    def settle(self) -> None:
        """Measure the cells found where time counts; the target is tightened where they miss it.

        Raises:
            UsageError: No cells are within the target as it is measured.
        """
        searcher = self._searcher
        if searcher.timing is not None:
            self.times = searcher.timing.settle(searcher.probabilities(), searcher.gammas)
            self.save()

    def advice(self) -> str:
        """Say how to go on after the numbers stopped being finite."""
        last = self.folder / CHECKPOINT
        if not last.exists():
            return "no checkpoint was written yet: begin again with a smaller --lr"
        return f"the last good checkpoint is {last}: go on from it with --resume --lr N"
