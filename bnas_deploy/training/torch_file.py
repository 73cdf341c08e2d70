"""Writing and reading `.pt` files safely. Says nothing of what our files hold."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from bnas_deploy.errors import CheckpointError

__all__ = [
    "load_plain",
    "read_file",
    "write_file",
]


def write_file(path: str | os.PathLike[str], value: Mapping[str, object]) -> None:
    """Save plain values and tensors; a kill at any time leaves the old file or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    with temporary.open("wb") as file:
        torch.save(dict(value), file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


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
    value = load_plain(path)
    if not isinstance(value, dict) or value.get("format") != kind:
        found = value.get("format") if isinstance(value, dict) else type(value).__name__
        msg = f"{path}: expected a file of format {kind}; its format is {found!r}"
        raise CheckpointError(msg)
    if value.get("version") != version:
        msg = f"{path}: expected version {version} of {kind}; got {value.get('version')!r}"
        raise CheckpointError(msg)
    return value


def load_plain(path: str | os.PathLike[str]) -> object:
    """Load any torch file of plain values and tensors onto the CPU, executing nothing from it.

    Raises:
        CheckpointError: The file is missing, is no torch file, or holds more than plain values.
    """
    if not Path(path).is_file():
        msg = f"{path}: no such file"
        raise CheckpointError(msg)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A damaged pickle can raise anything at all, and its message may be a page long.
        msg = f"{path}: not a torch file of plain values and tensors ({type(error).__name__})"
        raise CheckpointError(msg) from error
