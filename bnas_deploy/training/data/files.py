"""The files of a folder or of a tar, one after another."""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bnas_deploy.errors import DataError
from bnas_deploy.file_kind import what_is
from bnas_deploy.runtime.sources import files_in

__all__ = [
    "FileSource",
    "open_source",
]

FileSource = Iterator[tuple[str, Callable[[], bytes]]]
"""Names relative to the source, with forward slashes, and how to read each one."""


def open_source(path: Path, expected: str) -> FileSource:
    """Walk a folder, sorted, or a tar of any compression, in its order.

    Args:
        path: The folder or tar.
        expected: What a data set looks like, for the message when there is nothing to open.

    Raises:
        DataError: There is no such path, or it is neither a folder nor a tar. A damaged tar raises
            it while it is read.
    """
    if not path.exists():
        msg = f"{path}: no such file or folder; {expected}"
        raise DataError(msg)
    return _walk(path) if path.is_dir() else _untar(path, expected)


def _walk(path: Path) -> FileSource:
    for name, file in files_in(path):
        yield name, file.read_bytes


def _untar(path: Path, expected: str) -> FileSource:
    with _damage_named(path, expected), tarfile.open(path, "r:*") as archive:
        for member in archive:
            if member.isfile():
                yield member.name, partial(_content, archive, member, path, expected)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path, expected: str) -> bytes:
    with _damage_named(path, expected):
        file = archive.extractfile(member)
        assert file is not None
        return file.read()


@contextmanager
def _damage_named(path: Path, expected: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        # The message of a tar that no compression fits has a line for each of them.
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(":")
        kind = what_is(path)
        known = kind is not None and kind.key != "archive"
        found = f"this is {kind}" if known else f"cannot be read as a tar ({reason})"
        msg = f"{path}: {found}; {expected}"
        raise DataError(msg) from error
