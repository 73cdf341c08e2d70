"""Parquet, by pyarrow: the fields of `Row` as columns, `top` as a list of structs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from bnas_deploy.bulk.rows import Row
from bnas_deploy.errors import UsageError
from bnas_deploy.extras import how_to_install, is_installed

__all__ = ["check_parquet", "count_parquet", "write_parquet"]

GROUP = 16_384
"""Rows that are in memory at a time."""


def check_parquet(path: Path) -> None:
    """Check that pyarrow is there.

    Raises:
        UsageError: It is not.
    """
    if not is_installed("pyarrow"):
        msg = (
            f"{path}: Parquet needs pyarrow; {how_to_install('parquet')}, or choose .jsonl or .csv"
        )
        raise UsageError(msg)


def write_parquet(file: BinaryIO, rows: Iterable[Row]) -> None:
    """Write all rows, in groups."""
    import pyarrow  # noqa: PLC0415 - not a dependency
    from pyarrow import parquet  # noqa: PLC0415

    guess = pyarrow.struct(
        [
            ("label", pyarrow.string()),
            ("index", pyarrow.int32()),
            ("probability", pyarrow.float64()),
        ]
    )
    schema = pyarrow.schema(
        [
            ("image", pyarrow.string()),
            *((field.name, field.type) for field in guess),
            ("top", pyarrow.list_(guess)),
            ("error", pyarrow.string()),
        ]
    )
    waiting = iter(rows)
    with parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(waiting, GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(list(map(_clean, group)), schema))


def count_parquet(path: Path) -> tuple[int, int]:
    """Return how many rows a finished file has, and how many of them tell an error."""
    from pyarrow import parquet  # noqa: PLC0415 - not a dependency

    with parquet.ParquetFile(path) as file:
        errors = file.read(["error"]).column(0)
        return len(errors), len(errors) - errors.null_count


def _clean(row: Row) -> Row:
    """Names of files need not be Unicode; Parquet's texts are."""
    image = row["image"].encode("utf-8", "backslashreplace").decode()
    return {**row, "image": image}
