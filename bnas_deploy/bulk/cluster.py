"""The bulk job on Ray Data: a folder of Parquet files, one for each unit, on any machines.

Each unit is a job of `answer_into`, so one that is begun again, by another process of the same
machine or of another, goes on behind the last whole row. All machines share a file system.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ray
import ray.data

from bnas_deploy import atomic
from bnas_deploy.bulk.formats import check_parquet, count_parquet
from bnas_deploy.bulk.job import Written, answer_into
from bnas_deploy.bulk.units import Unit, fingerprint
from bnas_deploy.errors import BnasError, UsageError
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.sources.find import sources_of
from bnas_deploy.runtime.sources.source import Chain

__all__ = ["Asked", "answer_on_ray", "connected", "part_path"]

JOB = "_job.json"
DONE = "_SUCCESS"
"""As Hadoop and Spark name it; readers of Parquet pass over names with an underscore."""


@dataclass(frozen=True)
class Asked:
    """What is asked of every unit; the arguments of `answer_into` and of `find_pictures`."""

    top_k: int = 1
    batch: int = 64
    workers: int | None = None
    column: str | None = None


def part_path(folder: Path, number: int) -> Path:
    """Where the answers of a unit are."""
    return folder / f"part-{number:06}.parquet"


def answer_on_ray(
    folder: Path, model: Model, units: Sequence[Unit], asked: Asked, *, force: bool = False
) -> Written:
    """Answer all units on the cluster that Ray is connected to; a call again goes on.

    The pool of actors grows with the units that wait and the CPUs that are free. An actor takes
    as many CPUs as the model has threads, and loads the model once. Ray starts an actor that dies
    anew, and repeats its unit.

    Args:
        folder: Made where it is not there, in a place that all machines see by this path.
        model: What answers; goes to the machines as a pickle, by path and checksum.
        units: The pictures; names are relative to the current folder, as seen by all machines.
        asked: What is asked of each.
        force: Whether to begin again whatever is there.

    Raises:
        UsageError: The folder is finished, is of another job, or cannot be written; a machine does
            not see the files.
    """
    check_parquet(folder)
    _begin(folder, model, units, asked, force=force)
    before = sum(count_parquet(path)[0] for path in folder.glob("part-*.parquet"))
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=len(units))
    rows = ray.data.from_items([asdict(unit) for unit in units], override_num_blocks=len(units))
    done = rows.map(
        _Worker,
        fn_constructor_args=(model, asked, str(folder.absolute()), str(Path.cwd())),
        compute=pool,
        num_cpus=model.threads,
    )
    try:
        found = list(done.iter_rows())
    except Exception as error:
        raise _plain(error) from error
    pictures, errors = (sum(row[key] for row in found) for key in ("pictures", "errors"))
    atomic.write_text(folder / DONE, json.dumps({"pictures": pictures, "errors": errors}) + "\n")
    return Written(folder, pictures, errors, before)


class _Worker:
    """Answers units; an actor of Ray."""

    def __init__(self, model: Model, asked: Asked, folder: str, here: str) -> None:
        try:
            os.chdir(here)
        except OSError as error:
            msg = f"{here}: not on this machine, {os.uname().nodename} ({error.strerror})"
            raise UsageError(msg) from error
        self._model, self._asked, self._folder = model, asked, Path(folder)

    def __call__(self, row: Mapping[str, Any]) -> dict[str, int]:
        path, asked = part_path(self._folder, row["number"]), self._asked
        if not path.exists():  # else it was done, and its actor died before it could say so
            items = Chain(list(sources_of(list(row["names"]), asked.column)))
            answer_into(
                path,
                self._model,
                items,
                top_k=asked.top_k,
                batch=asked.batch,
                workers=asked.workers,
            )
        pictures, errors = count_parquet(path)
        return {"unit": row["number"], "pictures": pictures, "errors": errors}


def _begin(folder: Path, model: Model, units: Sequence[Unit], asked: Asked, *, force: bool) -> None:
    job = {
        "bnas_deploy": "answers 1",
        "model": model.checksum,
        "top_k": asked.top_k,
        "column": asked.column,
        "pictures": fingerprint(units),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if force:
            _clear(folder)
        if (folder / DONE).exists():
            msg = f"{folder} is finished already; add --force to replace it, or choose another name"
            raise UsageError(msg)
        _check_same(folder, job)
        atomic.write_text(folder / JOB, json.dumps(job, indent=2) + "\n")
    except OSError as error:
        msg = f"{folder}: cannot be written ({error.strerror})"
        raise UsageError(msg) from error


def _clear(folder: Path) -> None:
    parts = folder.glob("part-*.parquet*")
    for path in (folder / DONE, folder / JOB, *parts):
        path.unlink(missing_ok=True)


def _check_same(folder: Path, job: Mapping[str, object]) -> None:
    path = folder / JOB
    if not path.exists():
        if any(folder.iterdir()):
            msg = f"{folder}: holds other files; expected a new or empty folder"
            raise UsageError(msg)
        return
    try:
        was = json.loads(path.read_text())
    except ValueError:
        was = {}
    others = [key for key in job if was.get(key) != job[key]]
    if others:
        msg = (
            f"{folder}: begun with another {' and '.join(others)}; repeat that command to finish"
            " it, or add --force to begin again"
        )
        raise UsageError(msg)


def _plain(error: BaseException) -> BaseException:
    """The error of this package that Ray has wrapped, or Ray's own."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, BnasError):
            return UsageError(str(getattr(at, "cause", at)))
        at = at.__cause__
    return error


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Be connected to a cluster meanwhile; what Ray prints goes to standard error.

    Args:
        address: Its address; None: that of `RAY_ADDRESS`, a cluster that runs on this machine, or
            a new one of this machine alone.

    Raises:
        UsageError: There is none.
    """
    with redirect_stdout(sys.stderr):
        try:
            ray.init(address, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            msg = f"no cluster of Ray at {address or 'RAY_ADDRESS'} ({str(error).splitlines()[0]})"
            raise UsageError(msg) from error
        try:
            yield
        finally:
            ray.shutdown()
