"""The models of a server by name, and loading them again when their files change."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread
from starlette.exceptions import HTTPException

from bnas_deploy.errors import BnasError, UsageError
from bnas_deploy.runtime.model import Model, load
from bnas_deploy.serving.metrics import Metrics
from bnas_deploy.shown import safe

__all__ = ["Shelf"]

State = tuple[int, ...]
"""What tells a file's contents apart: place on the disk, size, time of change in ns."""


@dataclass
class Entry:
    """A file, its model, and the state of the file when it was last looked at."""

    path: Path
    model: Model
    state: State


@dataclass
class Shelf:
    """Models named after their files' stems.

    A request keeps the model that it was given, so that another one may take its place meanwhile.

    Attributes:
        threads: Of each model.
        metrics: Where reloading is counted.
        load: Makes a file a model, as `bnas_deploy.load` does.
    """

    threads: int
    metrics: Metrics
    load: Callable[..., Model] = load
    _entries: dict[str, Entry] = field(default_factory=dict)

    def add(self, places: Sequence[str], *, name: str | None = None) -> None:
        """Load files.

        Args:
            places: Files, and folders of them, whose names end in .bnn.
            name: What the only one is called; None: the file's stem.

        Raises:
            UsageError: Two would be called the same, a folder has none, or there are several for a
                name.
            FormatError: One cannot be read.
        """
        paths = [path for place in places for path in _files(Path(place))]
        if name is not None and (len(paths) != 1 or not name or "/" in name):
            found = ", ".join(path.name for path in paths)
            msg = f"--name {name!r} is a name without / for one model; there are: {found}"
            raise UsageError(msg)
        for path in paths:
            self._add(path, name or path.stem)

    def _add(self, path: Path, name: str) -> None:
        if name in self._entries:
            msg = (
                f"two models would be called {name}: {self._entries[name].path} and {path}; rename"
                " one of the files"
            )
            raise UsageError(msg)
        state = _state(path)
        self._entries[name] = Entry(path, self.load(path, threads=self.threads), state)

    @property
    def names(self) -> list[str]:
        """Names of all models."""
        return list(self._entries)

    def __getitem__(self, name: str) -> Model:
        """Return a model.

        Raises:
            HTTPException: 404 if there is none of that name.
        """
        if name not in self._entries:
            raise HTTPException(404, f"no model is called {name!r:.80}; GET /v1/models lists them")
        return self._entries[name].model

    async def watch(self, seconds: float) -> None:
        """Look after the files for ever, every `seconds`."""
        while True:
            await anyio.sleep(seconds)
            await anyio.to_thread.run_sync(self.refresh)

    def refresh(self) -> None:
        """Load the files that changed; a file that cannot be read leaves its model in place."""
        for name, entry in self._entries.items():
            state = _state(entry.path)
            if state == entry.state:
                continue
            entry.state = state
            try:
                entry.model = self.load(entry.path, threads=self.threads)
            except (BnasError, MemoryError) as error:
                self.metrics.reloads.labels(name, "refused").inc()
                _say(f"{name}: the changed file is refused, the old model stays: {error}")
            else:
                self.metrics.reloads.labels(name, "loaded").inc()
                _say(f"{name}: loaded again, {entry.model.checksum[:12]}")


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    found = sorted(path for path in place.iterdir() if path.suffix == ".bnn")
    if not found:
        msg = f"--packed {place}: expected .bnn files in this folder, found none"
        raise UsageError(msg)
    return found


def _say(text: str) -> None:
    print(safe(text), file=sys.stderr, flush=True)  # noqa: T201 - the server's log


def _state(path: Path) -> State:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
