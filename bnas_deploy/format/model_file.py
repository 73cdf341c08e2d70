"""A ``.bnn`` file in memory, whose content is decoded when somebody asks for it.

The native engine reads such a file itself, and refuses the same ones; decoding it in Python as well
would take longer than all the rest of loading.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnas_deploy.errors import FormatError, UsageError

if TYPE_CHECKING:
    from bnas_deploy.format.program import PackedModel

__all__ = ["FILE_LIMIT", "ModelFile"]

FILE_LIMIT = 2**31


class ModelFile:
    """The bytes of a ``.bnn`` file, which nobody has checked yet.

    In a pickle it is its path and its checksum, and is read again where it arrives, when it is
    first looked at; without a path it is its bytes.

    Attributes:
        path: Where they came from, for messages, or None.
        place: The same as an absolute path.
    """

    def __init__(self, content: bytes, path: Path | None = None) -> None:
        """Take the bytes of a file.

        Raises:
            FormatError: They are too many.
        """
        _check_size(len(content))
        self._content: bytes | None = content
        self.path = path
        self.place = None if path is None else path.absolute()

    @classmethod
    def given(cls, file: object) -> ModelFile:
        """Take a path or bytes from a caller.

        Raises:
            UsageError: It is neither.
            FormatError: The file cannot be read, or is too large.
        """
        if isinstance(file, bytes):
            return cls(file)
        if isinstance(file, (str, os.PathLike)):
            return cls.at(file)
        msg = f"expected the path of a .bnn file, or its bytes; got {type(file).__name__}"
        raise UsageError(msg)

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

    @classmethod
    def sent(cls, place: Path, checksum: str) -> ModelFile:
        """The file of that place and `checksum`, which is read when it is first looked at."""
        file = cls(b"", place)
        file._content, file.checksum = None, checksum
        return file

    def __reduce__(self) -> tuple[Callable[..., ModelFile], tuple[Any, ...]]:
        if self.place is None:
            return ModelFile, (self.content,)
        return ModelFile.sent, (self.place, self.checksum)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the bytes in hexadecimal."""
        return _sha256(self.content)

    @property
    def content(self) -> bytes:
        """All bytes.

        Raises:
            FormatError: The file came here by its path, and it cannot be read, or has changed.
        """
        if self._content is None:
            self._content = self._fetched()
        return self._content

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

    def _fetched(self) -> bytes:
        assert self.path is not None
        try:
            content = _content(self.path)
        except FormatError as error:
            msg = (
                f"{self.path}: {error}; a model that was loaded from a file goes to other processes"
                " by its path: put the file there, or load it from bytes, which go along"
            )
            raise FormatError(msg) from error
        if _sha256(content) != self.checksum:
            msg = (
                f"{self.path}: the file has changed since the model was loaded that came here by"
                " its path; put the old file back, or load the new one and send that"
            )
            raise FormatError(msg)
        return content


def _sha256(content: bytes) -> str:
    import hashlib  # noqa: PLC0415 - OpenSSL takes milliseconds

    return hashlib.sha256(content).hexdigest()


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
