"""The rows so far, beside the file that they will become: one JSON object a line, a header first.

A kill at any moment leaves whole rows and perhaps the beginning of one, which is cut off when the
job goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from bnas_deploy.atomic import naming
from bnas_deploy.bulk.rows import Row
from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources import Item

if sys.platform != "win32":
    import fcntl

__all__ = ["Partial", "opened", "partial_path"]

SECONDS = 1.0
"""Between two times that rows are handed to the system."""

ENDING = ".partial"
MOST_BYTES = 255
"""Of a name in nearly every file system."""

Header = Mapping[str, Any]


def partial_path(target: Path) -> Path:
    """Where the rows of a target are meanwhile; its name shows where they are from, if it fits."""
    name = os.fsencode(target.name)
    if len(name) + len(ENDING) <= MOST_BYTES:
        return target.with_name(target.name + ENDING)
    return target.with_name(hashlib.sha256(name).hexdigest()[:16] + ENDING)


class Partial:
    """An open file of rows.

    Args:
        file: Open for reading and writing, locked; positioned behind its header.
        path: Its name, for messages.

    Attributes:
        done: Number of rows.
        errors: Number of them that tell an error.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._begin = file.tell()
        self._flushed = time.monotonic()
        self.done = self.errors = 0
        self._end = self._begin

    def rest(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the pictures that have no row yet.

        Raises:
            UsageError: The rows are of other pictures.
        """
        waiting = iter(items)
        for row in self.rows():
            item = next(waiting, None)
            if item is None or item.name != row["image"]:
                found = "no more pictures" if item is None else item.name
                msg = (
                    f"{self._path}: row {self.done + 1} is of {row['image']}, but the pictures"
                    f" given now have {found} there; give those that it was begun with, or add"
                    " --force to begin again"
                )
                raise UsageError(msg)
            self.done += 1
            self.errors += row["error"] is not None
        self._file.seek(self._end)
        self._file.truncate()
        yield from waiting

    def rows(self) -> Iterator[Row]:
        """Yield all whole rows, from the first."""
        self._file.flush()
        self._file.seek(self._begin)
        self._end = self._begin
        for line in self._file:
            if not line.endswith(b"\n"):
                return
            try:
                row = json.loads(line)
            except ValueError as error:
                msg = f"{self._path}: damaged behind byte {self._end}; add --force to begin again"
                raise UsageError(msg) from error
            self._end += len(line)
            yield cast("Row", row)

    def add(self, row: Row) -> None:
        """Take one more row."""
        self._file.write(json.dumps(row).encode("ascii") + b"\n")
        self.done += 1
        self.errors += row["error"] is not None
        if time.monotonic() - self._flushed > SECONDS:
            self._file.flush()
            self._flushed = time.monotonic()


@contextmanager
def opened(target: Path, header: Header, *, again: bool) -> Iterator[Partial]:
    """Open the rows of a target, or begin them; nobody else has them meanwhile.

    Args:
        target: The file that they will become.
        header: What must be the same to go on: the model and what is asked of it.
        again: Whether to begin again whatever is there.

    Raises:
        UsageError: The file cannot be written, is in use, or was begun with another header.
    """
    path = partial_path(target)
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror})"
        raise UsageError(msg) from error
    with naming(path), file:
        _lock(file, path)
        if again:
            file.truncate(0)
        _check_header(file, path, header)
        yield Partial(file, path)


def _lock(file: BinaryIO, path: Path) -> None:
    """Keep others out until the file is closed, however that happens; Windows has no such lock."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            msg = f"{path}: another process is writing it, or it cannot be locked"
            raise UsageError(msg) from error


def _check_header(file: BinaryIO, path: Path, header: Header) -> None:
    line = file.readline()
    if not line.endswith(b"\n"):  # new, or ended before its header was whole
        file.seek(0)
        file.truncate()
        file.write(json.dumps(header).encode("ascii") + b"\n")
        file.flush()
        return
    try:
        was = json.loads(line)
    except ValueError:
        was = None
    if was != dict(header):
        names = [key for key in header if not isinstance(was, dict) or was.get(key) != header[key]]
        msg = (
            f"{path}: begun with another {' and '.join(names)}; repeat that command to finish it,"
            " or add --force to begin again"
        )
        raise UsageError(msg)
