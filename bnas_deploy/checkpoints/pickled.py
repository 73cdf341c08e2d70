"""What a pickle asks Python for, read off its opcodes; nothing of it is executed."""

from __future__ import annotations

import io
import pickletools
import zipfile
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Pickled", "is_complete", "pickled"]

LEGACY = 4
"""In files from before 2020 the saved value is the fourth pickle."""

_MARK = object()
_ROOT = object()
_GETS = ("GET", "BINGET", "LONG_BINGET")
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE")


@dataclass(frozen=True)
class _Type:
    """A class or function on the stack."""

    name: str


@dataclass
class Pickled:
    """The outermost value of a pickle.

    Attributes:
        is_dict: Whether it is a dict.
        types: Names of the classes and functions in each entry of it, by the entry's key; those
            of the value itself, and where no key is known, under the empty key.
    """

    is_dict: bool = False
    types: dict[str, list[str]] = field(default_factory=dict)


def pickled(data: bytes) -> Pickled:
    """Look at what torch.save wrote, in a zip file or in the form from before 2020.

    Raises:
        Exception: The file is damaged; of any kind.
    """
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            name = next(n for n in archive.namelist() if n.endswith("/data.pkl"))
            return _outermost(io.BytesIO(archive.read(name)))
    stream = io.BytesIO(data)
    for _ in range(LEGACY - 1):
        for _ in pickletools.genops(stream):
            pass
    return _outermost(stream)


def is_complete(data: bytes) -> bool:
    """Whether the pickles at the start of a file from before 2020 are all there."""
    try:
        pickled(data)
    except Exception:
        return False
    return True


def _outermost(stream: io.BytesIO) -> Pickled:
    found, stack, memo = Pickled(), list[Any](), dict[int, Any]()
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name in _PUTS:
            memo[len(memo) if argument is None else argument] = stack[-1]
            continue
        made = [memo.get(int(argument or 0))] if name in _GETS else _pushed(opcode, argument)
        for value in made:
            if isinstance(value, _Type):
                found.types.setdefault(_key(stack), []).append(value.name)
        below = stack[:1]
        _pop(stack, opcode)
        bottom = not stack and name != "STOP"
        stack.extend(made)
        if bottom and _makes_dict(name, below, found):
            found.is_dict, stack[0] = True, _ROOT
    return found


def _makes_dict(name: str, below: list[Any], found: Pickled) -> bool:
    """Whether an opcode that leaves one value has made the outermost dict, or filled it."""
    ordered = name == "REDUCE" and found.types.get("", [""])[0].startswith("collections.")
    return name == "EMPTY_DICT" or ordered or below == [_ROOT]


def _pop(stack: list[Any], opcode: pickletools.OpcodeInfo) -> None:
    before = list(opcode.stack_before)
    if pickletools.markobject in before:
        while stack.pop() is not _MARK:
            pass
        before = before[: before.index(pickletools.markobject)]
    for _ in before:
        stack.pop()


def _pushed(opcode: pickletools.OpcodeInfo, argument: object) -> list[object]:
    if opcode.name == "GLOBAL":
        return [_Type(str(argument).replace(" ", "."))]
    known = argument if opcode.stack_after == [pickletools.pyunicode] else None
    is_mark = opcode.stack_after == [pickletools.markobject]
    return [_MARK if is_mark else known for _ in opcode.stack_after]


def _key(stack: list[Any]) -> str:
    """The key of the outermost dict whose value is being made; empty if there is none."""
    if stack[:1] != [_ROOT]:
        return ""
    items = stack[2:] if stack[1:2] == [_MARK] else stack[1:]
    if _MARK in items:
        items = items[: items.index(_MARK)]
    # Keys and values in turns; behind the last key lie parts of its value.
    return next((item for item in reversed(items[::2]) if isinstance(item, str)), "")
