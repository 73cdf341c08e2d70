"""The pictures that a list names, a line each; the list may be of any length, or come by a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources.item import Item, is_picture
from bnas_deploy.runtime.sources.source import Singles, Source, estimated

__all__ = ["Listing"]

STDIN = "-"


class Listing:
    """Pictures, tars, tables and folders, in the order of a list.

    Args:
        name: The list, or ``-`` for standard input.
        source_of: What a line stands for whose ending is no picture's.

    Raises:
        UsageError: It cannot be read.
    """

    def __init__(self, name: str, source_of: Callable[[str], Source]) -> None:
        self._name, self._source_of = name, source_of
        self._seen = self._position = self._size = 0
        if name != STDIN:
            with self._opened() as file:
                self._size = os.fstat(file.fileno()).st_size

    def __iter__(self) -> Iterator[Item]:
        self._seen = 0
        for name in self.lines():
            for item in self._of_line(name):
                self._seen += 1
                yield item

    def lines(self) -> Iterator[str]:
        """Yield the lines that are not empty."""
        self._position = 0
        if self._name == STDIN and sys.stdin is None:
            msg = "standard input is closed; give it a list, for example with < list.txt"
            raise UsageError(msg)
        with nullcontext(sys.stdin.buffer) if self._name == STDIN else self._opened() as file:
            for line in file:
                self._position += len(line)
                if name := os.fsdecode(line.rstrip(b"\r\n")):
                    yield name

    def expected(self) -> int | None:
        """What their number will be if the rest of the list is like what has been read."""
        return estimated(self._seen, self._position, self._size) if self._size else None

    def names(self) -> Iterator[str]:
        """The lines, and what lies in those that are folders."""
        for name in self.lines():
            yield from self._of_line(name).names()

    def _of_line(self, name: str) -> Source:
        path = Path(name)
        # A file that is not there becomes an item that cannot be read; most need no look at all.
        if is_picture(path) or not path.exists():
            return Singles([Item(name, path)])
        return self._source_of(name)

    def _opened(self) -> BinaryIO:
        try:
            return Path(self._name).open("rb")
        except OSError as error:
            msg = f"{self._name}: the list of pictures cannot be read ({error.strerror})"
            raise UsageError(msg) from error
