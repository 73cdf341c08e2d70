"""Writing and reading `.pt` files safely. Says nothing of what our files hold."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from bnas_deploy import atomic
from bnas_deploy.errors import CheckpointError
from bnas_deploy.file_kind import what_is
from bnas_deploy.shown import shown

__all__ = [
    "load_plain",
    "read_any",
    "read_file",
    "write_file",
]


def write_file(path: str | os.PathLike[str], value: Mapping[str, object]) -> None:
    """Save plain values and tensors; a kill at any time leaves the old file or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In memory first: what PyTorch raises on a full disk does not say that it is full.
    content = io.BytesIO()
    torch.save(dict(value), content)
    with atomic.replacing(path) as file:
        file.write(content.getbuffer())


def read_any(path: str | os.PathLike[str]) -> object:
    """Load any torch file of plain values and tensors, also one from before 2020, onto the CPU.

    Raises:
        CheckpointError: As for `read_file`, whatever the format and version.
    """
    _check_exists(path)
    if zipfile.is_zipfile(path):
        _check_zip(path)
    return load_plain(path)


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
    _check_zip(path)
    value = load_plain(path)
    if not isinstance(value, dict) or value.get("format") != kind:
        found = value.get("format") if isinstance(value, dict) else type(value).__name__
        msg = f"{path}: expected a file of format {kind}; its format is {shown(found)}"
        if isinstance(found, str) and found.startswith("bnas-deploy/"):
            msg += "; model.pt and checkpoint.pt of a run lie side by side"
        raise CheckpointError(msg)
    found = value.get("version")
    if not isinstance(found, int) or found != version:
        msg = f"{path}: expected version {version} of {kind}; got {shown(found)}"
        raise CheckpointError(msg)
    return value


def _check_zip(path: str | os.PathLike[str]) -> None:
    """Refuse members that claim more bytes than the file has: a small file shall not fill memory.

    (Torch files from before 2020 are no zip files; ours always are.)
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, ValueError, NotImplementedError, struct.error, zipfile.BadZipFile) as error:
        raise _not_plain(path, error) from error
    claimed, held = sum(member.file_size for member in members), Path(path).stat().st_size
    if claimed > held or any(member.compress_type != zipfile.ZIP_STORED for member in members):
        msg = (
            f"{path}: expected a torch file, which is not compressed; its parts claim {claimed}"
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
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A damaged pickle can raise anything at all, and its message may be a page long.
        raise _not_plain(path, error) from error


def _not_plain(path: str | os.PathLike[str], error: Exception) -> CheckpointError:
    kind = what_is(path)
    if kind is None or kind.key in ("torch", "zip", "pickle"):
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    else:
        reason = f"this is {kind}"
    return CheckpointError(f"{path}: not a torch file of plain values and tensors; {reason}")
