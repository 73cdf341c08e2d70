"""Labels and normalisation that a .tflite file's metadata state.

No package has the schema of the metadata alone, so its few fields are read by their numbers in
metadata_schema.fbs of tflite-support. The associated files are a zip archive behind the model.
"""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from io import BytesIO

import flatbuffers
import numpy as np
import tflite
from flatbuffers.number_types import Float32Flags, UOffsetTFlags
from flatbuffers.table import Table

from bnas_deploy.errors import ConversionError
from bnas_deploy.shown import safe

__all__ = ["Described", "described"]

NAME = b"TFLITE_METADATA"
IDENTIFIER = b"M001"
VECTOR_LIMIT = 1_000
BYTES_LIMIT = 2**24
"""Of the metadata, and of a label file."""
_AXIS_LABELS = 2
_NORMALIZATION = 1
_SUBGRAPHS, _INPUTS, _OUTPUTS, _UNITS, _FILES = 3, 2, 3, 4, 6
"""Numbers of fields: of ModelMetadata, of SubGraphMetadata (two), and of TensorMetadata (two)."""

_DAMAGE = (
    IndexError, OverflowError, RuntimeError, TypeError, ValueError, struct.error,
    zipfile.BadZipFile, NotImplementedError, EOFError,
)  # fmt: skip


@dataclass(frozen=True)
class Described:
    """What the metadata say.

    Attributes:
        mean: Of each channel, on the scale of bytes; empty if they do not say.
        std: Of each channel, on the same scale.
        labels: The lines of the label file; None if there is none.
        file: Its name.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    labels: tuple[str, ...] | None = None
    file: str = ""


def described(data: bytes, name: str) -> Described:
    """Read the metadata of a model that was read already.

    Args:
        data: The file.
        name: Of the file, for messages.

    Raises:
        ConversionError: They are damaged.
    """
    try:
        return _described(data)
    except _DAMAGE as error:
        msg = f"{name}: its metadata cannot be read: {safe(str(error))[:200]}"
        raise ConversionError(msg) from error


def _described(data: bytes) -> Described:
    graph = _graph(data)
    inputs, outputs = ([] if graph is None else _tables(graph, n) for n in (_INPUTS, _OUTPUTS))
    mean, std = _normalization(inputs[0]) if inputs else ((), ())
    labels, file = _labels(data, _label_file(outputs[0]) if outputs else "")
    return Described(mean, std, labels, file)


def _graph(data: bytes) -> Table | None:
    """The metadata of the model's graph."""
    model = tflite.Model.GetRootAs(data, 0)
    for place in range(min(model.MetadataLength(), VECTOR_LIMIT)):
        entry = model.Metadata(place)
        if entry.Name() != NAME or entry.Buffer() >= model.BuffersLength():
            continue
        buffer = model.Buffers(entry.Buffer())
        if not 8 < buffer.DataLength() <= BYTES_LIMIT:
            return None
        stored = buffer.DataAsNumpy().tobytes()
        if stored[4:8] != IDENTIFIER:
            return None
        root = flatbuffers.encode.Get(flatbuffers.packer.uoffset, stored, 0)
        graphs = _tables(Table(stored, root), _SUBGRAPHS)
        return graphs[0] if graphs else None
    return None


def _offset(table: Table, number: int) -> int:
    """Where a field lies in a table; 0 where it is left out."""
    return int(UOffsetTFlags.py_type(table.Offset(4 + 2 * number)))


def _tables(table: Table, number: int) -> list[Table]:
    offset = _offset(table, number)
    if not offset:
        return []
    count, start = table.VectorLen(offset), table.Vector(offset)
    if count > VECTOR_LIMIT:
        msg = f"a list of {count:,}"
        raise ValueError(msg)
    return [Table(table.Bytes, table.Indirect(start + 4 * i)) for i in range(count)]


def _floats(table: Table, number: int) -> tuple[float, ...]:
    offset = _offset(table, number)
    if not offset:
        return ()
    values = table.GetVectorAsNumpy(Float32Flags, offset)
    if len(values) > VECTOR_LIMIT or not np.isfinite(values).all():
        msg = f"{len(values):,} numbers, or some that are not finite"
        raise ValueError(msg)
    return tuple(float(value) for value in values)


def _byte(table: Table, number: int) -> int:
    offset = _offset(table, number)
    return int(table.Bytes[table.Pos + offset]) if offset else 0


def _normalization(tensor: Table) -> tuple[tuple[float, ...], tuple[float, ...]]:
    for unit in _tables(tensor, _UNITS):
        if _byte(unit, 0) == _NORMALIZATION and (offset := _offset(unit, 1)):
            options = Table(unit.Bytes, unit.Indirect(unit.Pos + offset))
            return _floats(options, 0), _floats(options, 1)
    return (), ()


def _label_file(tensor: Table) -> str:
    for file in _tables(tensor, _FILES):
        if _byte(file, 2) == _AXIS_LABELS and (offset := _offset(file, 0)):
            return str(file.String(file.Pos + offset), "utf-8")
    return ""


def _labels(data: bytes, stated: str) -> tuple[tuple[str, ...] | None, str]:
    """The lines of a file in the archive: the one that is stated, else one named after labels."""
    if not _has_archive(data):
        return None, ""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        names = archive.namelist()
        fitting = [n for n in names if n == stated] or [n for n in names if _is_label_file(n)]
        if not fitting:
            return None, ""
        with archive.open(fitting[0]) as member:
            content = member.read(BYTES_LIMIT + 1)
    if len(content) > BYTES_LIMIT:
        msg = f"{fitting[0]} has more than {BYTES_LIMIT:,} bytes"
        raise ValueError(msg)
    lines = content.decode("utf-8").rstrip().splitlines()
    return tuple(line.strip() for line in lines), safe(fitting[0])


def _has_archive(data: bytes) -> bool:
    """Whether there is an archive, of a few members: its list is read as a whole."""
    tail = data[-(2**16) :]
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 12:
        return False
    members = int.from_bytes(tail[end + 10 : end + 12], "little")
    if members > VECTOR_LIMIT or tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        msg = f"an archive of more than {VECTOR_LIMIT:,} files"
        raise ValueError(msg)
    return True


def _is_label_file(name: str) -> bool:
    return name.endswith(".txt") and "label" in name.lower()
