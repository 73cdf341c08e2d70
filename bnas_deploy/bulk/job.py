"""Runs a model over pictures into a file, or goes on where an earlier run was ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bnas_deploy import atomic
from bnas_deploy.bulk.formats import format_of
from bnas_deploy.bulk.partial import opened, partial_path
from bnas_deploy.bulk.rows import row_of
from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.sources import Item
from bnas_deploy.runtime.stream import Answer, answers

__all__ = ["Written", "answer_into"]


@dataclass(frozen=True)
class Written:
    """What became of a job.

    Attributes:
        path: The file.
        pictures: Its rows.
        errors: Rows of pictures that could not be read.
        before: Rows that an earlier run had left.
    """

    path: Path
    pictures: int
    errors: int
    before: int


def answer_into(
    target: Path,
    model: Model,
    items: Iterable[Item],
    *,
    top_k: int = 1,
    batch: int = 64,
    workers: int | None = None,
    force: bool = False,
    watch: Callable[[Iterable[Answer], int], Iterable[Answer]] = lambda found, before: found,
) -> Written:
    """Write a row for each picture into a file that appears when all are there.

    Until then the rows are in `partial_path(target)`. After a kill, the same call goes on behind
    the last whole row.

    Args:
        target: A file ending in .jsonl, .csv or .parquet.
        model: What answers; rows of another one are not gone on with.
        items: The pictures, in the same order every time; they are gone through once.
        top_k: Number of classes to name.
        batch: Number of pictures to run together.
        workers: Number of threads that decode pictures, as for `answers`.
        force: Whether to replace a finished file, and to begin again whatever was begun.
        watch: Sees every answer pass, and is told how many rows were there before.

    Raises:
        UsageError: The file is there already, cannot be written, or was begun with another model,
            number of classes, or other pictures.
    """
    write = format_of(target)
    if target.exists() and not force:
        msg = f"{target} is there already; add --force to replace it, or choose another name"
        raise UsageError(msg)
    header = {"bnas_deploy": "answers 1", "model": model.checksum, "top_k": top_k}
    with opened(target, header, again=force) as partial:
        # The rows that are there are looked through before the first picture is asked for.
        rest = partial.rest(items)
        first = next(rest, None)
        before = partial.done
        waiting = () if first is None else _behind(first, rest)
        found = answers(model, waiting, batch=batch, workers=workers)
        for answer in watch(found, before):
            partial.add(row_of(model, answer, top_k))
        try:
            with atomic.replacing(target) as file:
                write(file, partial.rows())
        except OSError as error:
            msg = f"{target}: cannot be written ({error.strerror or error})"
            raise UsageError(msg) from error
        partial_path(target).unlink(missing_ok=True)
        return Written(target, partial.done, partial.errors, before)


def _behind(first: Item, rest: Iterable[Item]) -> Iterable[Item]:
    yield first
    yield from rest
