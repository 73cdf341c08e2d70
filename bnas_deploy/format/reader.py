"""Reads a ``.bnn`` file and checks all of it."""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType

from bnas_deploy.errors import FormatError
from bnas_deploy.file_kind import what_is
from bnas_deploy.format.codec import decode
from bnas_deploy.format.container import unpack
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.strict_json import parse_json
from bnas_deploy.format.validation import validate
from bnas_deploy.format.version import check_steps

__all__ = ["read"]

FILE_LIMIT = 2**31


def read(source: str | os.PathLike[str] | bytes) -> PackedModel:
    """The packed model of a ``.bnn`` file, given by its path or its bytes.

    Raises:
        FormatError: The file cannot be read, or breaks a rule of docs/format.md.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _parse(bytes(source))
    path = Path(source)
    try:
        return _parse(_content(path))
    except FormatError as error:
        msg = f"{path}: {error}"
        raise FormatError(msg) from error


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            msg = f"expected a .bnn file; this is {what_is(path) or 'a device'}"
            raise FormatError(msg)
        if path.exists():
            _check_size(path.stat().st_size)
        return path.read_bytes()
    except FileNotFoundError as error:
        msg = "no such file; give the path of a .bnn file made by bnas-export"
        raise FormatError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"the file cannot be read ({error})"
        raise FormatError(msg) from error


def _check_size(size: int) -> None:
    if size > FILE_LIMIT:
        msg = f"expected at most {FILE_LIMIT} bytes, got {size}; no .bnn file"
        raise FormatError(msg)


def _parse(blob: bytes) -> PackedModel:
    _check_size(len(blob))
    version, program, tensors = unpack(blob)
    # A view: what is read cannot drift apart from the file's bytes, which are kept.
    model = decode(parse_json(program, "bnas.program"), MappingProxyType(tensors))
    validate(model)
    check_steps(model.program, version)
    object.__setattr__(model, "file", blob)
    return model
