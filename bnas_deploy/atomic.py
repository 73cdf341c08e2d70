"""Writing files whole or not at all: a new file takes the old one's place in one step."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["naming", "replacing", "write_bytes", "write_text"]


@contextmanager
def naming(path: str | os.PathLike[str], *also: str) -> Iterator[None]:
    """Give an `OSError` of the block the name of a file, where it has none, or one of `also`.

    Errors of writing have none: they come from a number.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename in (None, *also):
            error.filename = os.fspath(path)
        raise


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file, which becomes `path` when the block ends without an error.

    A failure, a full disk or a kill leaves what was there before: the old file, or none. A link is
    followed, so that it stays a link.

    Args:
        path: Name of the file, in a folder that exists.

    Raises:
        OSError: The file cannot be written; the error has its name.
    """
    target = Path(os.path.realpath(path))
    # A short name of its own: the target's may be as long as the file system allows.
    temporary = target.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        with naming(path, str(temporary)):
            _check_replaceable(target)
            with os.fdopen(os.open(temporary, _NEW, 0o666), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
    finally:
        with suppress(OSError):  # after a success it is gone
            temporary.unlink()


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file of bytes as `replacing` does."""
    with replacing(path) as file:
        file.write(content)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a file of text in UTF-8, its line ends as they are, as `replacing` does."""
    write_bytes(path, text.encode("utf-8"))


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def _check_replaceable(target: Path) -> None:
    # Replacing is not writing: /dev/null would become a file for everyone.
    if target.exists() and not target.is_file():
        reason = "expected the name of a file, this is a directory or a device"
        raise OSError(errno.EINVAL, reason)
