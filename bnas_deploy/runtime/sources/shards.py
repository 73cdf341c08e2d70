"""The pictures of tars: of a single one, or of the shards of a WebDataset.

Of the members of a shard that share a key, those are pictures that have the ending of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from bnas_deploy.errors import DataError, ImageError
from bnas_deploy.runtime.sources.item import Item, is_picture, unreadable
from bnas_deploy.runtime.sources.source import estimated
from bnas_deploy.runtime.sources.tars import Member, Tar

__all__ = ["Shards"]


class Shards:
    """Pictures in the order of the tars and of their members, named ``TAR/MEMBER``.

    A tar that is damaged, or has no picture, is one more item, which tells why it is not readable.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._size = sum(path.stat().st_size for path in paths)
        self._seen = self._before = 0
        self._tar: Tar | None = None

    def __iter__(self) -> Iterator[Item]:
        self._seen = self._before = 0
        for path in self._paths:
            self._tar = Tar(path)
            for item in _pictures(self._tar):
                self._seen += 1
                yield item
            self._tar = None
            self._before += path.stat().st_size

    def expected(self) -> int | None:
        """What their number will be if the rest is like what has been seen."""
        position = self._before + (self._tar.position if self._tar else 0)
        return estimated(self._seen, position, self._size)

    def names(self) -> Iterator[str]:
        """The paths of the tars."""
        return map(str, self._paths)


def _pictures(tar: Tar) -> Iterator[Item]:
    empty = True
    try:
        for member in tar:
            if is_picture(member.name):
                empty = False
                yield Item(_called(tar, member), partial(_content, member))
    except DataError as error:
        yield unreadable(str(tar.path), str(error))
    else:
        if empty:
            yield unreadable(str(tar.path), f"{tar.path}: no pictures in this tar")


def _called(tar: Tar, member: Member) -> str:
    return f"{tar.path}/{member.name.removeprefix('./')}"


def _content(member: Member) -> bytes:
    try:
        return member.read()
    except DataError as error:
        raise ImageError(str(error)) from error
