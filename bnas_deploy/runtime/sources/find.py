"""The pictures that command-line arguments name: files, folders, patterns or standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.sources.folders import pictures_in
from bnas_deploy.runtime.sources.item import Item

__all__ = ["find_pictures"]

STDIN = "-"


def find_pictures(arguments: Sequence[str]) -> tuple[list[Item], list[str]]:
    """Find the pictures that command-line arguments name.

    Args:
        arguments: Files, folders (searched through all levels for `PICTURE_SUFFIXES`), patterns
            with ``*``, ``?``, ``[`` or ``**``, and ``-`` for a picture on standard input.

    Returns:
        The pictures in the order of the arguments, those of a folder or pattern sorted by path; and
        one message for each argument that names none.

    Raises:
        UsageError: There is no picture at all.
    """
    items: list[Item] = []
    problems: list[str] = []
    for argument in arguments:
        found = list(_expand(argument))
        items += found
        if not found:
            problems.append(_problem(argument))
    if not items:
        msg = "; ".join(problems) or "no pictures given; name files, folders, patterns or -"
        raise UsageError(msg)
    return items, problems


def _expand(argument: str) -> Iterator[Item]:
    path = Path(argument)
    if argument == STDIN:
        yield Item("<stdin>", sys.stdin.buffer.read())
    elif path.is_dir():
        yield from (Item(str(file), file) for file in pictures_in(path))
    elif path.exists():
        yield Item(argument, path)
    else:
        import glob  # noqa: PLC0415 - most arguments are files and folders

        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - absolute patterns too
        yield from (Item(name, Path(name)) for name in matches if Path(name).is_file())


def _problem(argument: str) -> str:
    if Path(argument).is_dir():
        return f"{argument}: no pictures in this folder"
    import glob  # noqa: PLC0415 - see above

    if glob.has_magic(argument):
        return f"{argument}: no file matches this pattern"
    return f"{argument}: no such file"
