"""What a finished file of answers looks like: a file for each format, and their table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from bnas_deploy.bulk.formats.delimited import write_csv
from bnas_deploy.bulk.formats.lines import write_jsonl
from bnas_deploy.bulk.formats.parquet import check_parquet, count_parquet, write_parquet
from bnas_deploy.bulk.rows import Row
from bnas_deploy.errors import UsageError

__all__ = ["Write", "check_parquet", "count_parquet", "format_of"]

Write = Callable[[BinaryIO, Iterable[Row]], None]

_FORMATS: dict[str, Write] = {
    ".jsonl": write_jsonl,
    ".csv": write_csv,
    ".parquet": write_parquet,
}


def format_of(path: Path) -> Write:
    """Return how a file of this ending is written.

    Raises:
        UsageError: The ending is unknown, or what it needs is not installed.
    """
    write = _FORMATS.get(path.suffix.lower())
    if write is None:
        msg = f"{path}: expected an ending of {', '.join(_FORMATS)}"
        raise UsageError(msg)
    if write is write_parquet:
        check_parquet(path)
    return write
