"""Writes and reads `.pt` files safely."""

from __future__ import annotations

import io
import os
import pickle
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from bnas_deploy import atomic
from bnas_deploy.checkpoints.other_types import other_types
from bnas_deploy.checkpoints.pickled import is_complete
from bnas_deploy.cut_off import is_cut_off, is_whole_zip, what_whole_file_is
from bnas_deploy.errors import CheckpointError
from bnas_deploy.file_kind import what_bytes_are, what_is
from bnas_deploy.shown import shown

__all__ = [
    "check_kind",
    "load_bytes",
    "load_plain",
    "read_bytes",
    "read_file",
    "write_file",
]

_File = str | os.PathLike[str] | io.BytesIO


def write_file(path: str | os.PathLike[str], value: Mapping[str, object]) -> None:
    """Save plain values and tensors; a kill at any time leaves the old file or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In memory first: what PyTorch raises on a full disk does not say that it is full.
    content = io.BytesIO()
    torch.save(dict(value), content)
    with atomic.replacing(path) as file:
        file.write(content.getbuffer())


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """All of a file, for `load_bytes`.

    Raises:
        CheckpointError: It is missing, is no file, or cannot be read.
    """
    _check_exists(path)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise CheckpointError(msg) from error


def load_bytes(source: str | os.PathLike[str], data: bytes) -> object:
    """Load the bytes of any torch file of plain values and tensors, or of a safetensors file.

    A torch file may be from before 2020.

    Args:
        source: The file's name, for messages.
        data: All of the file.

    Raises:
        CheckpointError: As for `load_plain`.
    """
    kind = what_bytes_are(data)
    if kind is not None and kind.key == "safetensors":
        return _load_safetensors(source, data)
    if is_whole_zip(data):
        _check_zip(source, io.BytesIO(data))
    return _load(source, io.BytesIO(data))


def _load_safetensors(source: str | os.PathLike[str], data: bytes) -> object:
    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError, RuntimeError) as error:
        msg = (
            f"{source}: a safetensors file that is damaged or cut off after {len(data):,} bytes"
            f" ({error}); copy or fetch it once more"
        )
        raise CheckpointError(msg) from error


def read_file(path: str | os.PathLike[str], *, kind: str, version: int) -> dict[str, Any]:
    """Load a file of plain values and tensors onto the CPU, executing nothing from it.

    Args:
        path: The file.
        kind: What its entry `format` must be.
        version: What its entry `version` must be.

    Raises:
        CheckpointError: The file is missing, is no torch file of plain values, or is of another
            format or version.
    """
    _check_exists(path)
    _check_zip(path, path)
    return check_kind(path, load_plain(path), kind=kind, version=version)


def check_kind(
    source: str | os.PathLike[str], value: object, *, kind: str, version: int
) -> dict[str, Any]:
    """Check format and version of what a file holds, as `read_file` does, and return it.

    Raises:
        CheckpointError: It is of another format or version.
    """
    if not isinstance(value, dict) or value.get("format") != kind:
        found = value.get("format") if isinstance(value, dict) else type(value).__name__
        msg = f"{source}: expected a file of format {kind}; its format is {shown(found)}"
        if isinstance(found, str) and found.startswith("bnas-deploy/"):
            msg += "; model.pt and checkpoint.pt of a run lie side by side"
        raise CheckpointError(msg)
    found = value.get("version")
    if not isinstance(found, int) or found != version:
        msg = f"{source}: expected version {version} of {kind}; got {shown(found)}"
        raise CheckpointError(msg)
    return value


def _check_zip(source: str | os.PathLike[str], file: _File) -> None:
    """Refuse members that claim more bytes than the file has: a small file must not fill memory.

    (Torch files from before 2020 are no zip files; ours always are.)
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (OSError, ValueError, NotImplementedError, struct.error, zipfile.BadZipFile) as error:
        raise _not_plain(source, file, error) from error
    if any(member.filename.endswith("/constants.pkl") for member in members):
        msg = (
            f"{source}: this is a TorchScript archive, which holds a program; save its weights"
            " with torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt')"
        )
        raise CheckpointError(msg)
    claimed = sum(member.file_size for member in members)
    held = len(file.getbuffer()) if isinstance(file, io.BytesIO) else Path(file).stat().st_size
    if claimed > held or any(member.compress_type != zipfile.ZIP_STORED for member in members):
        msg = (
            f"{source}: expected a torch file, which is not compressed; its parts claim {claimed}"
            f" bytes, the file has {held}"
        )
        raise CheckpointError(msg)


def _check_exists(path: str | os.PathLike[str]) -> None:
    if not Path(path).is_file():
        kind = what_is(path)
        reason = "no such file" if kind is None else f"expected a file; this is {kind}"
        msg = f"{path}: {reason}"
        raise CheckpointError(msg)


def load_plain(path: str | os.PathLike[str]) -> object:
    """Load any torch file of plain values and tensors onto the CPU, executing nothing from it.

    Raises:
        CheckpointError: The file is missing, is no torch file, or holds more than plain values.
    """
    _check_exists(path)
    return _load(path, path)


def _load(source: str | os.PathLike[str], file: _File) -> object:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # A damaged pickle can raise anything at all, and its message may be a page long.
        raise _not_plain(source, file, error) from error


def _not_plain(source: str | os.PathLike[str], file: _File, error: Exception) -> CheckpointError:
    data = file.getvalue() if isinstance(file, io.BytesIO) else Path(file).read_bytes()
    said = str(error)
    refused = re.search(r"GLOBAL ([\w.]+)", said)
    if refused is not None and isinstance(error, pickle.UnpicklingError):
        return other_types(source, data, refused[1])
    kind = what_whole_file_is(data)
    if kind is None:
        reason = "this file is of no known kind"
    elif is_cut_off(data) or kind.key not in ("torch", "zip", "pickle"):
        reason = f"this is {kind}"
    elif kind.key == "torch" and ("EOF" in said or not is_complete(data)):
        reason = f"this is {kind.name} that is cut off after {len(data):,} bytes"
    else:
        # PyTorch's advice, which comes first, is to execute what the file holds.
        said = said.partition("WeightsUnpickler error: ")[2] or said
        reason = f"{type(error).__name__}: {said}".splitlines()[0][:200]
    return CheckpointError(f"{source}: not a torch file of plain values and tensors; {reason}")
