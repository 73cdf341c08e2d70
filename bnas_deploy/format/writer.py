"""Writing a ``.bnn`` file, checked first and whole or not at all; not making its content."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bnas_deploy.errors import FormatError
from bnas_deploy.format.codec import decode, encode
from bnas_deploy.format.container import pack
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.strict_json import dump_json, parse_json
from bnas_deploy.format.validate import validate
from bnas_deploy.format.version import needed_version

__all__ = ["to_bytes", "write"]


def to_bytes(model: PackedModel) -> bytes:
    """The content of the model's ``.bnn`` file.

    Raises:
        FormatError: The model breaks a rule of docs/format.md.
    """
    text = dump_json(encode(model), "bnas.program")
    # What a reader will see is what is validated, so that nothing unreadable is ever written.
    validate(decode(parse_json(text, "bnas.program"), model.tensors))
    return pack(text, model.tensors, needed_version(model.program))


def write(model: PackedModel, path: str | os.PathLike[str]) -> None:
    """Write the model to `path`; an existing file is replaced at once, or left alone on failure.

    Raises:
        FormatError: The model breaks a rule of docs/format.md, or the file cannot be written.
    """
    path = Path(path)
    blob = to_bytes(model)
    try:
        # Replacing is not writing: /dev/null would become a file for everyone.
        if path.exists() and not path.is_file():
            msg = f"{path}: expected the name of a file, this is a directory or a device"
            raise FormatError(msg)
        _replace(path, blob)
    except OSError as error:
        msg = f"{path}: the file cannot be written ({error})"
        raise FormatError(msg) from error


def _replace(path: Path, blob: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    # The system offers no way to read it but to set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
