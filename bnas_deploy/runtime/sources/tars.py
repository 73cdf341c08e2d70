"""The files of a tar of any compression, one after another; nothing is unpacked.

Tars come from strangers. A member is read only where it is a plain file of a bounded size that is
stored whole, and a damaged header is an error rather than an end.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bnas_deploy.errors import BnasError, DataError
from bnas_deploy.file_kind import what_is
from bnas_deploy.shown import safe

__all__ = ["EXPECTED", "MEMBER_LIMIT", "Member", "Tar"]

MEMBER_LIMIT = 2**28
"""Bytes of the largest member that is read: far more than a picture or a part of CIFAR-10 has."""

HEADER_LIMIT = 2**20
"""Bytes of a header that holds a long name or extended fields; it is read into memory."""

EXPECTED = "expected a tar, plain or compressed by gzip, bzip2 or xz"

_KINDS = {
    tarfile.LNKTYPE: "a link",
    tarfile.SYMTYPE: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
}


class Member:
    """A file in a tar, not read yet.

    Attributes:
        name: As the tar gives it, with forward slashes.
    """

    def __init__(
        self, tar: tarfile.TarFile, info: tarfile.TarInfo, path: Path, expected: str
    ) -> None:
        self._tar, self._info, self._path, self._expected = tar, info, path, expected
        self.name = info.name

    def check(self) -> None:
        """Check that it may be read.

        Raises:
            DataError: It is no plain file, is sparse, or too large.
        """
        found = self._fault()
        if found is not None:
            msg = (
                f"{self._path}: {safe(self.name)} is {found}; only plain files of at most"
                f" {MEMBER_LIMIT >> 20} MiB are read from a tar: leave it out, or pack the files"
                " themselves (tar --dereference --hard-dereference, without --sparse)"
            )
            raise DataError(msg)

    def read(self) -> bytes:
        """Return the content; only before the next member is asked for.

        Raises:
            DataError: As for `check`, or the tar is damaged.
        """
        self.check()
        with _damage_named(self._path, self._expected):
            file = self._tar.extractfile(self._info)
            assert file is not None  # only of folders, links and devices
            return file.read()

    def _fault(self) -> str | None:
        info = self._info
        if info.issparse():
            return "a sparse file"
        if not info.isreg():
            return _KINDS.get(info.type, "of an unknown kind")
        return f"of {info.size:,} bytes" if info.size > MEMBER_LIMIT else None


class Tar:
    """The members of a tar, without its folders, in its order.

    Args:
        path: The tar.
        expected: What would be right, for the message where it is no tar.
    """

    def __init__(self, path: Path, expected: str = EXPECTED) -> None:
        self.path, self._expected = path, expected
        self._file: BinaryIO | None = None

    @property
    def position(self) -> int:
        """How many bytes of the file have been read, while it is gone through."""
        return 0 if self._file is None else self._file.tell()

    def __iter__(self) -> Iterator[Member]:
        """Yield the members.

        Raises:
            DataError: The tar cannot be read, or is damaged; also behind whole members.
        """
        with _damage_named(self.path, self._expected), _regular(self.path).open("rb") as file:
            self._file = file
            try:
                with tarfile.open(fileobj=file, mode="r:*", tarinfo=_Header) as tar:
                    for info in _infos(tar):
                        if not info.isdir():
                            yield Member(tar, info, self.path, self._expected)
            finally:
                self._file = None


class _Header(tarfile.TarInfo):
    """A header whose damage is an error; tarfile takes one behind the first for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        try:
            info = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if any(buf):  # else it is the end, or its mark
                raise tarfile.ReadError(str(error)) from error
            raise
        if info.size < 0 or (info.type in _LONG and info.size > HEADER_LIMIT):
            msg = f"a header claims {info.size:,} bytes"
            raise tarfile.ReadError(msg)
        return info


_LONG = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip


def _infos(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield all headers, of which tarfile would keep every one."""
    last = -1
    while (info := tar.next()) is not None:
        if info.offset <= last or info.size < 0:
            msg = "its headers go round in a circle"
            raise tarfile.ReadError(msg)
        last = info.offset
        tar.members.clear()  # type: ignore[attr-defined]
        yield info


def _regular(path: Path) -> Path:
    """The path itself; opening a named pipe would wait for its other end."""
    if path.exists() and not path.is_file():
        msg = "no file"
        raise tarfile.ReadError(msg)
    return path


@contextmanager
def _damage_named(path: Path, expected: str) -> Iterator[None]:
    """Make a `DataError` of whatever tarfile raises; a hostile header may raise anything."""
    try:
        yield
    except BnasError:
        raise
    except Exception as error:
        msg = f"{path}: {_told(path, error)}; {expected}"
        raise DataError(msg) from error


def _told(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    kind = what_is(path)
    if kind is not None and kind.key != "archive":
        return f"this is {kind}"
    # The message of a tar that no compression fits has a line for each of them.
    reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(":")
    return f"cannot be read as a tar ({safe(reason)})"
