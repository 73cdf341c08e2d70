"""The safetensors container of a ``.bnn`` file: metadata, tensors and checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from bnas_deploy.errors import FormatError
from bnas_deploy.file_kind import what_bytes_are
from bnas_deploy.format.strict_json import dump_json, parse_json
from bnas_deploy.format.version import Version, parse_version, version_text

__all__ = ["pack", "unpack"]

KEYS = ("bnas.version", "bnas.program", "bnas.sha256")
HEADER_LIMIT = 2**24
"""Bytes of the JSON, program included; the shipped networks have less than a tenth of one MB."""
ENTRY_KEYS = {"dtype", "shape", "data_offsets"}
_Entries = list[tuple[str, dict[str, Any]]]

DTYPES: dict[str, np.dtype[Any]] = {
    "U64": np.dtype("<u8"),
    "F32": np.dtype("<f4"),
    "I32": np.dtype("<i4"),
    "I8": np.dtype("i1"),
}


def pack(program: str, tensors: Mapping[str, npt.NDArray[Any]], version: Version) -> bytes:
    """The bytes of a file; the same content always gives the same bytes."""
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    blob = safetensors.numpy.save(contiguous)
    header, data = _split(blob)
    metadata = {
        "bnas.version": version_text(version),
        "bnas.program": program,
        "bnas.sha256": _digest(program, data),
    }
    # The library orders metadata differently from run to run, so the header is made here.
    entries = parse_json(header, "header")
    text = dump_json({"__metadata__": metadata, **entries}, "header").encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def unpack(blob: bytes) -> tuple[Version, str, dict[str, npt.NDArray[Any]]]:
    """The version, the program's JSON text and the tensors (read-only) of a file.

    Raises:
        FormatError: The file is truncated, damaged, of another version, or no ``.bnn`` file.
    """
    if len(blob) < 8:
        msg = f"expected a .bnn file, got {len(blob)} bytes; it is empty or truncated"
        raise FormatError(msg)
    header_size = int.from_bytes(blob[:8], "little")
    if HEADER_LIMIT < header_size <= len(blob) - 8:
        msg = f"header: at most {HEADER_LIMIT} bytes are allowed, got {header_size}"
        raise FormatError(msg)
    try:
        entries: _Entries = safetensors.deserialize(blob)  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        kind = what_bytes_are(blob)
        if kind is not None and kind.key not in ("bnn", "safetensors"):
            msg = f"expected a .bnn file; this is {kind}"
            raise FormatError(msg) from error
        cut = "" if kind is None else f"; it ends after {len(blob):,} bytes"
        msg = f"not a safetensors file, or truncated ({error}){cut}; copy or export the file again"
        raise FormatError(msg) from error
    text, data = _split(blob)
    header = parse_json(text, "header")
    metadata = _metadata(header)
    _check_entries(header)
    version = parse_version(metadata["bnas.version"])
    program = metadata["bnas.program"]
    if _digest(program, data) != metadata["bnas.sha256"]:
        msg = "the checksum bnas.sha256 is wrong; the file is damaged, copy or export it again"
        raise FormatError(msg)
    return version, program, {name: _tensor(name, entry) for name, entry in entries}


def _split(blob: bytes) -> tuple[bytes, memoryview]:
    end = 8 + int.from_bytes(blob[:8], "little")
    return blob[8:end], memoryview(blob)[end:]


def _digest(program: str, data: memoryview) -> str:
    try:
        digest = hashlib.sha256(program.encode("utf-8"))
    except UnicodeEncodeError as error:
        msg = f"bnas.program is not UTF-8 text ({error}); the file is damaged"
        raise FormatError(msg) from error
    digest.update(data)
    return digest.hexdigest()


def _metadata(header: dict[str, Any]) -> dict[str, str]:
    metadata = header.get("__metadata__") or {}
    for key in KEYS:
        if not isinstance(metadata.get(key), str):
            msg = f"the metadata has no {key}; this is a safetensors file, but not a .bnn file"
            raise FormatError(msg)
    unknown = sorted(set(metadata) - set(KEYS))
    if unknown:
        msg = f"the metadata has the unknown key {unknown[0][:80]!r}, expected {', '.join(KEYS)}"
        raise FormatError(msg)
    return dict(metadata)


def _check_entries(header: dict[str, Any]) -> None:
    # The library reads other forms of an entry, too: a list, or keys that mean nothing.
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if not isinstance(entry, dict) or set(entry) != ENTRY_KEYS:
            msg = f"tensor {name[:80]!r}: expected an object with {', '.join(sorted(ENTRY_KEYS))}"
            raise FormatError(msg)
        if not isinstance(entry["dtype"], str):
            msg = f"tensor {name[:80]!r}: dtype must be a string"
            raise FormatError(msg)


def _tensor(name: str, entry: Mapping[str, Any]) -> npt.NDArray[Any]:
    dtype = DTYPES.get(entry["dtype"])
    if dtype is None:
        msg = f"tensor {name!r} has dtype {entry['dtype']}, expected one of {', '.join(DTYPES)}"
        raise FormatError(msg)
    try:
        tensor: npt.NDArray[Any] = np.frombuffer(entry["data"], dtype=dtype)
        tensor = tensor.reshape(entry["shape"])
    except ValueError as error:
        msg = f"tensor {name!r} has the impossible shape {entry['shape']} ({error})"
        raise FormatError(msg) from error
    tensor.flags.writeable = False
    return tensor
