"""Whether a model's file ends too early, as a download that broke off does."""

from __future__ import annotations

import io
import zipfile

from bnas_deploy.file_kind import FileKind, what_bytes_are

__all__ = ["is_cut_off", "is_whole_zip", "what_whole_file_is"]


def is_whole_zip(data: bytes) -> bool:
    """Whether this is a zip file with its end; what is written there may be wrong all the same."""
    try:
        return zipfile.is_zipfile(io.BytesIO(data))
    except zipfile.BadZipFile:  # as before Python 3.13 for an end that tells of other disks
        return True


def is_cut_off(data: bytes) -> bool:
    """Whether a file of a known kind lacks its end.

    Args:
        data: All of the file.

    Returns:
        False also where its kind says nothing about its end. (Readers of .bnn files find out by
        themselves.)
    """
    kind = what_bytes_are(data)
    if kind is None:
        return False
    if data.startswith(b"PK\x03\x04"):
        return not is_whole_zip(data)
    return kind.key == "onnx" and _protobuf_end(data) > len(data)


def what_whole_file_is(data: bytes) -> FileKind | None:
    """Tell what a file is by all of its bytes: as `what_bytes_are`, and whether it is whole."""
    kind = what_bytes_are(data)
    if kind is None or not is_cut_off(data):
        return kind
    name = f"{kind.name} that is cut off after {len(data):,} bytes"
    return FileKind(kind.key, name, "copy or fetch it once more")


def _protobuf_end(data: bytes) -> int:
    """Where the outermost fields end, as far as their lengths say so."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire not in _FIXED and wire not in (0, 2):
            return len(data)  # no field: it is damaged, not short
        value, at = _varint(data, at) if wire in (0, 2) else (0, at)
        at += value if wire == 2 else _FIXED.get(wire, 0)
    return at


_FIXED = {1: 8, 5: 4}
"""Bytes of protobuf's wire types of a fixed size."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of protobuf, and where it ends; behind the end of the data if it is cut."""
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    return value, len(data) + 1
