"""The files of a folder or of a tar, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bnas_deploy.errors import DataError
from bnas_deploy.runtime.sources import files_in
from bnas_deploy.runtime.sources.tars import Tar

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
        DataError: There is no such path, or it is neither a folder nor a tar. A damaged tar, or a
            member that is not read (`Member.check`), raises it later.
    """
    if not path.exists():
        msg = f"{path}: no such file or folder; {expected}"
        raise DataError(msg)
    if path.is_dir():
        return ((name, file.read_bytes) for name, file in files_in(path))
    return ((member.name, member.read) for member in Tar(path, expected))
