"""What lies behind the names that a person gives: files, folders, patterns, or nothing."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from bnas_deploy.runtime.sources.braces import expanded
from bnas_deploy.runtime.sources.folders import files_in

__all__ = ["STDIN", "found_names"]

STDIN = "-"
SHOWN = 200
"""Characters of a name in a message: a name may have any number of them."""
OPEN_STREAMS = ("/dev/fd/", "/dev/stdin", "/proc/")
"""Pipes with these names have somebody at their other end, as in a shell's <(command)."""


def found_names(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what is there by these names, and a message for each that names nothing.

    Args:
        arguments: Files, folders, ``-``, names with braces, and patterns; ``**`` is any number of
            folders, of which none is looked through twice.
    """
    names: list[str] = []
    problems: list[str] = []
    for argument in arguments:
        plain = argument == STDIN or _mode(argument) is not None
        for name in [argument] if plain else expanded(argument):
            there = [name] if name == STDIN or _mode(name) is not None else list(_matches(name))
            problem = _refusal(name) if there else _nothing(name)
            if problem:
                problems.append(problem)
            else:
                names += there
    return names, problems


def _mode(name: str) -> int | None:
    """Type and rights of a file, or None where there is none; also of a name that cannot be one."""
    try:
        return os.stat(name).st_mode  # noqa: PTH116 - Path("") is the current folder
    except (OSError, ValueError):
        return None


def _refusal(name: str) -> str | None:
    mode = None if name == STDIN else _mode(name)
    if mode is None or stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    if stat.S_ISFIFO(mode) and name.startswith(OPEN_STREAMS):
        return None
    what = "a named pipe" if stat.S_ISFIFO(mode) else "a device or socket"
    return f"{_short(name)}: expected a file or folder, this is {what}; use - for standard input"


def _nothing(name: str) -> str:
    if not name:
        return "'' is no name of a file; name files, folders, patterns or -"
    if _is_pattern(name):
        return f"{_short(name)}: no file matches this pattern"
    return f"{_short(name)}: no such file"


def _short(name: str) -> str:
    return name if len(name) <= SHOWN else f"{name[:SHOWN]}… ({len(name):,} characters)"


def _is_pattern(name: str) -> bool:
    return re.search(r"[*?\[]", name) is not None


def _matches(pattern: str) -> Iterator[str]:
    """The files that match a pattern, sorted in each folder."""
    parts = pattern.split("/")
    if not _is_pattern(pattern):
        return
    if "**" not in parts:
        yield from sorted(name for name in _glob(pattern) if Path(name).is_file())
        return
    # Python's own ** follows links round and round.
    first = parts.index("**")
    above, rest = "/".join(parts[:first]), parts[first:]
    bases = [above] if not _is_pattern(above) else sorted(_glob(above))
    for base in bases:
        start = f"{base}/" if first else ""
        folder = Path(start or ".")
        if folder.is_dir():
            yield from (start + name for name, _ in files_in(folder) if _fits(name, rest))


def _glob(pattern: str) -> list[str]:
    import glob  # noqa: PLC0415 - most arguments are files and folders

    return glob.glob(pattern)  # noqa: PTH207 - absolute patterns too


def _fits(name: str, parts: Sequence[str]) -> bool:
    """Whether a path matches the parts of a pattern; neither * nor ** stands for hidden names."""
    from fnmatch import fnmatchcase  # noqa: PLC0415 - as above

    places = _passed({0}, parts)
    for word in name.split("/"):
        hidden = word.startswith(".")
        after = {
            i if parts[i] == "**" else i + 1
            for i in places
            if i < len(parts)
            and not (hidden and parts[i][:1] in ("*", "?", "["))
            and (parts[i] == "**" or fnmatchcase(word, parts[i]))
        }
        places = _passed(after, parts)
    return len(parts) in places


def _passed(places: set[int], parts: Sequence[str]) -> set[int]:
    """These places in a pattern, and those behind a ** that stands for no folder."""
    more = set(places)
    for i, part in enumerate(parts):
        if i in more and part == "**":
            more.add(i + 1)
    return more
