"""The folder of a run or search: whether one may begin or go on there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bnas_deploy.errors import UsageError
from bnas_deploy.training.run_files import CHECKPOINT

__all__ = ["check_minutes", "check_out", "make_out"]


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


def make_out(out: Path) -> None:
    """Make a run's folder.

    Raises:
        UsageError: It cannot be made.
    """
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
