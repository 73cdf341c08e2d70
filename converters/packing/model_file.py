"""A file that holds somebody's model: its bytes, read once, and what kind of file it is.

In place of a file, code that builds a model can be named.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bnas_deploy.errors import CheckpointError
from bnas_deploy.file_kind import FileKind, what_is
from bnas_deploy.shown import safe

__all__ = ["ModelFile"]

_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_CODE = re.compile(f"{_NAME}:{_NAME}")


@dataclass(frozen=True)
class ModelFile:
    """A model's file. Everything about it is found out at most once.

    Attributes:
        path: Where it lies; for code, what names it.
    """

    path: Path

    @cached_property
    def code(self) -> str | None:
        """`package.module:name`, if that is what is given and there is no such file."""
        text = str(self.path)
        return text if _CODE.fullmatch(text) and not self.path.exists() else None

    @cached_property
    def kind(self) -> FileKind | None:
        """What the first bytes say that it is; None where they say nothing."""
        return what_is(self.path)

    @property
    def name(self) -> str:
        """Its name without the folder, printable."""
        return safe(self.path.name)

    @cached_property
    def size(self) -> int:
        """Its bytes, which need not have been read.

        Raises:
            CheckpointError: There is no such file.
        """
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise self._unreadable(error) from error

    @cached_property
    def data(self) -> bytes:
        """All of it.

        Raises:
            CheckpointError: It cannot be read.
        """
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise self._unreadable(error) from error

    @property
    def facts(self) -> dict[str, str]:
        """Name and SHA-256, to store in what is made of it; no path of this machine."""
        return {"file": self.name, "sha256": hashlib.sha256(self.data).hexdigest()}

    def _unreadable(self, error: OSError) -> CheckpointError:
        return CheckpointError(f"{self.path}: {error.strerror or error}")
