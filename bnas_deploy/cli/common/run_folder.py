"""The folder of a run or search: whether one may begin or go on there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bnas_deploy.errors import UsageError
from bnas_deploy.training.record.run_files import CHECKPOINT

if sys.platform != "win32":
    import fcntl

__all__ = ["check_minutes", "check_out", "locked_out"]


def check_out(out: Path, products: Sequence[str], *, resume: bool, what: str) -> None:
    """Check that a run can begin in a folder, or go on.

    Args:
        out: The folder; need not be there.
        products: Patterns of the files that a run leaves beside its checkpoint.
        resume: Whether it is to go on.
        what: "run" or "search".

    Raises:
        UsageError: It cannot.
    """
    if out.exists() and not out.is_dir():
        msg = f"--out {out}: expected a folder, or a name that is still free; this is a file"
        raise UsageError(msg)
    exists = (out / CHECKPOINT).exists()
    if resume and not exists:
        msg = f"--resume: {out / CHECKPOINT} does not exist; leave --resume out to begin a {what}"
        raise UsageError(msg)
    if resume:
        return
    if exists:
        msg = f"{out} holds a {what} already; add --resume to go on with it or choose another --out"
        raise UsageError(msg)
    kept = [path.name for pattern in products for path in sorted(out.glob(pattern))]
    if kept:
        msg = f"{out} holds {' and '.join(kept)} of a {what} already; choose another --out"
        raise UsageError(msg)


@contextmanager
def locked_out(out: Path) -> Iterator[None]:
    """Make a run's folder and keep other runs out of it meanwhile.

    The lock is the system's, on the folder itself, so that it ends with the process however that
    ends. Windows has no such lock.

    Raises:
        UsageError: The folder cannot be made or locked, or another run is in it.
    """
    _make(out)
    if sys.platform == "win32":
        yield
        return
    folder = os.open(out, os.O_RDONLY)
    try:
        _lock(folder, out)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, out: Path) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        msg = f"--out {out}: another run is writing there; wait for its end or choose another --out"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"--out {out}: cannot be locked ({error.strerror}); choose a folder on a local disk"
        raise UsageError(msg) from error


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"--out {out}: the folder cannot be made ({error.strerror})"
        raise UsageError(msg) from error


def check_minutes(minutes: float) -> None:
    """Check --checkpoint-minutes.

    Raises:
        UsageError: It is not more than 0.
    """
    if not minutes > 0:
        msg = f"--checkpoint-minutes: expected more than 0; got {minutes}"
        raise UsageError(msg)
