"""The weights of a network in anybody's checkpoint: found, named as the network names them.

A checkpoint may be the weights or hold them as one entry of several, and their names may begin with
what DataParallel, torch.compile, an average of weights or a class around the network adds. Which
part is meant is decided by the names that the network has. What is left is told.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from bnas_deploy.checkpoints.left_out import LeftOut, how_found, left_out, side_product
from bnas_deploy.checkpoints.names import (
    Contents,
    contents_of,
    depth,
    is_below,
    joined,
    safe_key,
    without_wrappers,
)
from bnas_deploy.checkpoints.places import (
    Known,
    Places,
    by_structure,
    places,
    rivals,
    spelled,
)
from bnas_deploy.checkpoints.torch_file import load_bytes, read_bytes
from bnas_deploy.errors import CheckpointError
from bnas_deploy.shown import nearest, some

__all__ = ["HasBytes", "NoWeightsError", "State", "find_state", "names_of", "read_state"]


class NoWeightsError(CheckpointError):
    """A file holds no weights of the network."""


class HasBytes(Protocol):
    """A file that has been read, such as the converters' `ModelFile`."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def data(self) -> bytes:
        """All of it."""


@dataclass(frozen=True)
class State:
    """The weights of one network.

    Attributes:
        tensors: By the network's names; of a network of which nothing is known, by the names in
            the file without prefixes. They are as they were saved: dtype and values are unchecked.
        notes: Which entry was used and what was taken off the names, for people.
        left_out: What else the file holds, and why it is not used.
    """

    tensors: Mapping[str, Tensor]
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def read_state(
    file: HasBytes | str | os.PathLike[str],
    entry: str | None = None,
    *,
    names: Collection[str] | None = None,
) -> State:
    """Read the weights of a network from a file of PyTorch; nothing in it is executed.

    Args:
        file: The file, or its path.
        entry: Which of several entries holds the weights, with dots where entries are in others.
        names: Names in the network's own `state_dict`, by which its weights are found. Without
            them the file must hold one set of tensors.

    Raises:
        CheckpointError: The file cannot be read, holds no weights of the network, or holds several
            and none was chosen.
    """
    if isinstance(file, (str, os.PathLike)):
        path, data = Path(file), read_bytes(file)
    else:
        path, data = file.path, file.data
    known = None if names is None else names_of(names)
    return find_state(str(path), load_bytes(path, data), entry, known=known)


def find_state(
    source: str,
    value: object,
    entry: str | None = None,
    *,
    known: Known | None = None,
    expected: str | None = None,
) -> State:
    """Find the weights of a network in what a file holds.

    Args:
        source: The file's name, for messages.
        value: What `torch.load(..., weights_only=True)` gave.
        entry: As for `read_state`.
        known: The network's names.
        expected: What there should be, for the messages.

    Raises:
        CheckpointError: As for `read_state`.
    """
    what = expected or ("weights" if known is None else "weights of this network")
    if not isinstance(value, Mapping):
        msg = f"{source}: expected {what}; the file holds a {type(value).__name__}"
        raise CheckpointError(msg)
    contents = contents_of(source, value)
    chosen = contents if entry is None else _below(source, contents, entry)
    found = by_structure(chosen) if known is None else places(chosen, known)
    if not found:
        msg = f"{source}: no {what}; it holds {_first(list(value))}"
        raise NoWeightsError(msg)
    best = _best(f"{source}: several entries hold {what}", chosen, found)
    tensors, used = _taken(source, chosen, best, known)
    notes = how_found(contents, used, given=entry is not None)
    return State(tensors, notes, left_out(contents, used))


def names_of(names: Collection[str]) -> Known:
    """What `find_state` takes for a network with these names in its `state_dict`."""
    short = {without_wrappers(name): name for name in names}
    if len(short) < len(names):
        short = {name: name for name in names}
    return short.get


def _best(several: str, chosen: Contents, found: Places) -> str:
    """The place with the most tensors of the network, if no other one could as well be meant."""
    best = max(found, key=lambda place: (len(found[place]), -depth(place)))
    others = rivals(found, best)
    if others:
        listed = [
            f"{spelled(chosen, place, found[place][0])} ({len(found[place])} tensors)"
            for place in (best, *others)
        ]
        msg = f"{several}: {', '.join(listed)}; choose with --entry"
        raise CheckpointError(msg)
    return best


def _below(source: str, contents: Contents, entry: str) -> Contents:
    chosen = contents.below(entry)
    if not chosen.values:
        there = list(dict.fromkeys(path.split(".")[0] for path in contents.values))
        listed = some([safe_key(name) for name in there])
        msg = f"{source}: it has no entry {entry!r}{nearest(entry, there)}; it holds {listed}"
        raise CheckpointError(msg)
    return chosen


def _taken(
    source: str, chosen: Contents, place: str, known: Known | None
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors at a place by name, and their names by path."""
    tensors: dict[str, Tensor] = {}
    used: dict[str, str] = {}
    for path in chosen.values:
        if not is_below(short := chosen.short(path), place) or short == place:
            continue
        name = short[len(joined(place, "")) :]
        own = None if known is None else known(name)
        value = chosen.values[path]
        if own is not None and not isinstance(value, Tensor):
            msg = f"{source}: {name}: expected a tensor; got {type(value).__name__}"
            raise CheckpointError(msg)
        if isinstance(value, Tensor) and (own is not None or side_product(name) is None):
            used[path] = own or name
            tensors[used[path]] = value.detach()
    return tensors, used


def _first(names: list[object]) -> str:
    return some([safe_key(name) for name in names], 3) or "nothing"
