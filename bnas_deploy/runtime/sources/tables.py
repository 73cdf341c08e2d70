"""The pictures in a column of Parquet files, by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnas_deploy.errors import ImageError, UsageError
from bnas_deploy.extras import how_to_install, is_installed
from bnas_deploy.runtime.sources.item import Item
from bnas_deploy.shown import some, unknown_name

if TYPE_CHECKING:
    from pyarrow import DataType, Field, Schema
    from pyarrow.parquet import ParquetFile

__all__ = ["Tables"]

BATCH = 16
"""Rows that are in memory at a time."""

BUFFER = 2**20
"""Bytes of a column that are read at a time; without it, all of a group is."""

INNER = "bytes"
"""The field of Hugging Face's pictures, a struct of bytes and path, that holds them."""


class Tables:
    """Pictures in the order of the files and of their rows, named ``FILE/ROW``, from 0.

    Args:
        paths: The files.
        column: That of the pictures' bytes; None: the only one that may be.

    Raises:
        UsageError: pyarrow is not installed, a file cannot be read, or has no such column.
    """

    def __init__(self, paths: Sequence[Path], column: str | None) -> None:
        if not is_installed("pyarrow"):
            msg = f"{paths[0]}: Parquet needs pyarrow; {how_to_install('parquet')}"
            raise UsageError(msg)
        self._tables = [_Table(path, column) for path in paths]

    def __iter__(self) -> Iterator[Item]:
        for table in self._tables:
            yield from table

    def expected(self) -> int:
        """Their number, which the files tell."""
        return sum(table.rows for table in self._tables)

    def names(self) -> Iterator[str]:
        """The paths of the files."""
        return (str(table.path) for table in self._tables)


class _Table:
    def __init__(self, path: Path, column: str | None) -> None:
        self.path = path
        with _opened(path) as file:
            self.rows: int = file.metadata.num_rows
            self._column = _chosen(file.schema_arrow, path, column)

    def __iter__(self) -> Iterator[Item]:
        row = 0
        with _opened(self.path) as file:
            for index in range(file.num_row_groups):
                group = _Group(file, index, self._column, self.path)
                for place in range(file.metadata.row_group(index).num_rows):
                    name = f"{self.path}/{row}"
                    yield Item(name, partial(group.read, place, name))
                    row += 1


class _Group:
    """The pictures of a group of rows; nothing is read before the first is wanted."""

    def __init__(self, file: ParquetFile, index: int, column: str, path: Path) -> None:
        self._batches = file.iter_batches(
            BATCH, row_groups=[index], columns=[column], use_threads=False
        )
        self._path = path
        self._batch: Any = None
        self._begin = self._end = 0
        self._fault: str | None = None

    def read(self, place: int, name: str) -> bytes:
        """Return the bytes of a row that is not before the last one.

        Raises:
            ImageError: There are none, or the file is damaged here.
        """
        value = self._value(place)
        content = value.get(INNER) if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            msg = f"{name}: no bytes of a picture in this row"
            raise ImageError(msg)
        return content

    def _value(self, place: int) -> object:
        if self._fault is None and place >= self._end:
            self._go_to(place)
        if self._fault is not None:
            raise ImageError(self._fault)
        return self._batch.column(0)[place - self._begin].as_py()

    def _go_to(self, place: int) -> None:
        try:
            while place >= self._end:
                self._batch = next(self._batches)
                self._begin, self._end = self._end, self._end + len(self._batch)
        except Exception as error:  # pyarrow raises many things about damage
            self._fault = f"{self._path}: damaged ({type(error).__name__}: {error})"


def _opened(path: Path) -> ParquetFile:
    import pyarrow  # noqa: PLC0415 - not a dependency
    from pyarrow import parquet  # noqa: PLC0415

    try:
        return parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
    except (OSError, pyarrow.ArrowException) as error:
        msg = f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]})"
        raise UsageError(msg) from error


def _chosen(schema: Schema, path: Path, column: str | None) -> str:
    """The column of the pictures, and the field in it where it is a struct."""
    found = {field.name: _inside(field) for field in schema}
    fit = [name for name, inside in found.items() if inside is not None]
    if column is None:
        if len(fit) != 1:
            there = f"columns that may be: {some(fit)}" if fit else "no column holds bytes"
            msg = f"{path}: {there}; name the one of the pictures (--column)"
            raise UsageError(msg)
        column = fit[0]
    if column not in found:
        raise UsageError(f"{path}: {unknown_name('column', column, found)}")  # noqa: EM102
    inside = found[column]
    if inside is None:
        kind = schema.field(column).type
        msg = f"{path}: column {column} is of {kind}; expected binary, or a struct with bytes"
        raise UsageError(msg)
    return inside


def _inside(field: Field) -> str | None:
    """What to read of a column that may hold pictures: itself, or a field of it."""
    from pyarrow import types  # noqa: PLC0415 - not a dependency

    def is_bytes(kind: DataType) -> bool:
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    if types.is_struct(field.type):
        place = field.type.get_field_index(INNER)
        return f"{field.name}.{INNER}" if place >= 0 and is_bytes(field.type[place].type) else None
    return field.name if is_bytes(field.type) else None
