"""What a checkpoint holds beside the weights that are used, and how those were found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from bnas_deploy.checkpoints.names import Contents, is_below, joined, safe_key
from bnas_deploy.shown import some

__all__ = ["LeftOut", "how_found", "left_out", "side_product"]

_SIDE_PRODUCTS = (
    (re.compile(r"n_averaged"), "how many models were averaged"),
    (re.compile(r"(.*\.)?total_(ops|params)"), "a profiler's count"),
)


@dataclass(frozen=True)
class LeftOut:
    """Something that is not used, and why."""

    name: str
    reason: str


def side_product(name: str) -> str | None:
    """What a tensor among the weights is that belongs to no network; None if it may."""
    return next((what for known, what in _SIDE_PRODUCTS if known.fullmatch(name)), None)


def how_found(
    contents: Contents, used: Mapping[str, str], *, given: bool = False
) -> tuple[str, ...]:
    """Say which entry was used and what was taken off the names.

    Args:
        contents: All that the file holds.
        used: The network's name of each tensor, by its path.
        given: Whether the user named the entry.
    """
    entry = _entry(contents, used)
    prefixes, inside = set(), False
    for path, name in used.items():
        own = path[len(joined(entry, "")) :]
        if own.endswith(f".{name}"):
            prefixes.add(own.removesuffix(name))
        elif own != name:
            inside = True
    how = " (given)" if given else ""
    notes = [f"its state_dict is the entry {safe_key(entry)}{how}"] if entry else []
    if prefixes:
        listed = some([safe_key(prefix) for prefix in sorted(prefixes)], 4)
        notes += [f"the prefix {listed} was removed"]
    notes += ["names were compared without _orig_mod and module"] if inside else []
    return tuple(notes)


def left_out(contents: Contents, used: Mapping[str, str]) -> tuple[LeftOut, ...]:
    """Name what is not used: side products, other parts of the entry, other entries."""
    entry = _entry(contents, used)
    shared = {_start(path, entry) for path in used}
    groups: dict[str, list[str]] = {}
    for path in contents.values:
        if path not in used:
            start = _start(path, entry)
            alone = start in shared or side_product(path.rsplit(".", maxsplit=1)[-1])
            groups.setdefault(path if alone else start, []).append(path)
    return tuple(LeftOut(safe_key(n), _reason(contents, n, paths)) for n, paths in groups.items())


def _entry(contents: Contents, used: Iterable[str]) -> str:
    """The innermost mapping that all of the paths are in."""
    entries = {contents.entry[path] for path in used}
    shared = min(entries, key=len)
    while not all(is_below(entry, shared) for entry in entries):
        shared = shared.rpartition(".")[0]
    return shared


def _start(path: str, entry: str) -> str:
    """A path's first part, or the first behind the entry that is used."""
    start = joined(entry, "") if is_below(path, entry) else ""
    return start + path[len(start) :].split(".", maxsplit=1)[0]


def _reason(contents: Contents, name: str, paths: list[str]) -> str:
    value = contents.values.get(name)
    what = side_product(name.rsplit(".", maxsplit=1)[-1])
    if what is not None:
        return what
    if "optim" in name.lower() or (isinstance(value, Mapping) and "param_groups" in value):
        return "an optimizer's state, of use in training only"
    tensors = sum(isinstance(contents.values[path], Tensor) for path in paths)
    if tensors:
        return f"not part of these weights ({tensors} tensor{'s' * (tensors > 1)})"
    if name not in contents.values or isinstance(value, Mapping):
        return "not a state_dict of the network"
    return "a note beside the weights"
