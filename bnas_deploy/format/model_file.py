"""A ``.bnn`` file in memory, whose content is decoded when somebody asks for it.

The native engine reads such a file itself, and refuses the same ones; decoding it in Python as well
would take longer than all the rest of loading.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bnas_deploy.errors import FormatError

if TYPE_CHECKING:
    from bnas_deploy.format.program import PackedModel

__all__ = ["FILE_LIMIT", "ModelFile"]

FILE_LIMIT = 2**31


class ModelFile:
    """The bytes of a ``.bnn`` file, which nobody has checked yet.

    Attributes:
        content: All of them.
        path: Where they came from, or None.
    """

    def __init__(self, content: bytes, path: Path | None = None) -> None:
        """Take the bytes of a file.

        Raises:
            FormatError: They are too many.
        """
        self.content, self.path = content, path
        _check_size(len(content))

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> ModelFile:
        """Read a file.

        Raises:
            FormatError: It cannot be read, or is too large; the message names it.
        """
        path = Path(path)
        try:
            return cls(_content(path), path)
        except FormatError as error:
            raise FormatError(f"{path}: {error}") from error  # noqa: EM102

    @cached_property
    def packed(self) -> PackedModel:
        """What the file holds, checked in full.

        Raises:
            FormatError: It breaks a rule of docs/format.md; the message names the file.
        """
        from bnas_deploy.format.reader import decoded  # noqa: PLC0415 - half of all imports

        try:
            return decoded(self.content)
        except FormatError as error:
            raise self.refused(error) from error

    def refused(self, error: Exception) -> FormatError:
        """An error with the file's name in front."""
        return FormatError(f"{self.path}: {error}" if self.path else str(error))


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            from bnas_deploy.file_kind import what_is  # noqa: PLC0415 - for the message alone

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
