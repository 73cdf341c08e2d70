"""External data of an ONNX model, read only from files inside the model's folder; no other parsing.

A location must be relative, must not lead out of the folder (symbolic links included), and offset
and length must lie within the file.
"""

from __future__ import annotations

import math
from pathlib import Path

import onnx
from onnx import TensorProto

from bnas_deploy.errors import ConversionError

__all__ = ["embed_external"]

TOTAL_LIMIT = 2**31 - 2**20
"""Bytes of all tensors together, as a protobuf message takes at most 2^31."""


def embed_external(proto: onnx.ModelProto, path: Path) -> None:
    """Put the bytes of external tensors into the model.

    Args:
        proto: Changed in place.
        path: The model's file.

    Raises:
        ConversionError: A tensor's data lies outside the model's folder, or is not there.
    """
    total = 0
    tensors = [*proto.graph.initializer]
    for node in proto.graph.node:
        tensors += [a.t for a in node.attribute if a.type == onnx.AttributeProto.TENSOR]
    for tensor in tensors:
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        data = _read(tensor, path, TOTAL_LIMIT - total)
        total += len(data)
        tensor.raw_data = data
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _read(tensor: TensorProto, path: Path, left: int) -> bytes:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    file = _inside(tensor, path, entries.get("location", ""))
    offset, length = (_number(tensor, path, entries, key) for key in ("offset", "length"))
    expected = _expected(tensor, path)
    size = file.stat().st_size
    length = size - offset if "length" not in entries else length
    if length != expected or offset + length > size or length > left:
        what = f"{expected:,} bytes at {offset:,}, of a file of {size:,}; {length:,} are stated"
        raise _fail(tensor, path, f"needs {what}")
    with file.open("rb") as stream:
        stream.seek(offset)
        data: bytes = stream.read(length)
        return data


def _inside(tensor: TensorProto, path: Path, location: str) -> Path:
    folder = path.resolve().parent
    if not location or "\0" in location:
        raise _fail(tensor, path, "states no file")
    try:
        file = (folder / location).resolve()
        outside = Path(location).is_absolute() or not file.is_relative_to(folder)
        missing = not file.is_file()
    except (OSError, RuntimeError) as error:
        raise _fail(tensor, path, f"cannot be read: {error}") from error
    if outside:
        raise _fail(tensor, path, f"lies outside the model's folder ({location!r}), refused")
    if missing:
        raise _fail(tensor, path, f"is missing: {location!r} must lie beside the model")
    return file


def _number(tensor: TensorProto, path: Path, entries: dict[str, str], key: str) -> int:
    text = entries.get(key, "0")
    if not text.isdecimal() or len(text) > 12:
        raise _fail(tensor, path, f"states the {key} {text[:40]!r}")
    return int(text)


def _expected(tensor: TensorProto, path: Path) -> int:
    try:
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except KeyError as error:
        raise _fail(tensor, path, f"has the unknown type {tensor.data_type}") from error
    if any(extent < 0 for extent in tensor.dims):
        raise _fail(tensor, path, f"has the shape {list(tensor.dims)}")
    return int(math.prod(tensor.dims)) * int(kind.itemsize)


def _fail(tensor: TensorProto, path: Path, what: str) -> ConversionError:
    return ConversionError(f"{path.name}: external data of tensor {tensor.name!r} {what}")
