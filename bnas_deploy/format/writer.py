"""Writes a ``.bnn`` file: checked first, then whole or not at all."""

from __future__ import annotations

import os

from bnas_deploy import atomic
from bnas_deploy.errors import FormatError
from bnas_deploy.format.codec import decode, encode
from bnas_deploy.format.container import pack
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.strict_json import dump_json, parse_json
from bnas_deploy.format.validation import validate
from bnas_deploy.format.version import needed_version

__all__ = ["to_bytes", "unchecked_bytes", "write"]


def to_bytes(model: PackedModel) -> bytes:
    """The content of the model's ``.bnn`` file.

    Raises:
        FormatError: The model breaks a rule of docs/format.md.
    """
    text = dump_json(encode(model), "bnas.program")
    # What a reader will see is what is validated, so that nothing unreadable is ever written.
    validate(decode(parse_json(text, "bnas.program"), model.tensors))
    return pack(text, model.tensors, needed_version(model.program))


def unchecked_bytes(model: PackedModel) -> bytes:
    """The same without the check, for a reader that checks.

    Raises:
        FormatError: The model holds what JSON cannot.
    """
    text = dump_json(encode(model), "bnas.program")
    return pack(text, model.tensors, needed_version(model.program))


def write(model: PackedModel, path: str | os.PathLike[str]) -> None:
    """Write the model to `path`; an existing file is replaced at once, or left alone on failure.

    Raises:
        FormatError: The model breaks a rule of docs/format.md, or the file cannot be written.
    """
    blob = to_bytes(model)
    try:
        atomic.write_bytes(path, blob)
    except OSError as error:
        msg = f"{os.fspath(path)}: the file cannot be written ({error.strerror or error})"
        raise FormatError(msg) from error
