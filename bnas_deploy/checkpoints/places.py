"""Where in a checkpoint the weights of a network are."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from bnas_deploy.checkpoints.names import Contents, is_below, joined

__all__ = ["Known", "Places", "by_structure", "places", "rivals", "spelled"]

Known = Callable[[str], str | None]
"""The network's name for a name without wrappers; None if it has none like that."""

Places = dict[str, list[str]]
"""Paths of tensors, by the start of a path that they have in common."""

ATTRIBUTES = ("model", "net", "network")
"""What people call the network in a class around it, as in Lightning."""


def places(contents: Contents, known: Known) -> Places:
    """Find the starts of paths behind which tensors of the network stand."""
    found: Places = {}
    for path, value in contents.values.items():
        if not isinstance(value, Tensor):
            continue
        parts = contents.short(path).split(".")
        for i in range(len(parts)):
            if known(".".join(parts[i:])) is not None:
                found.setdefault(".".join(parts[:i]), []).append(path)
    return found


def by_structure(contents: Contents) -> Places:
    """The same for a network of which nothing is known: mappings that hold tensors.

    The name of an attribute that every tensor of such a mapping begins with belongs to its path.
    """
    inside: Places = {}
    for path, value in contents.values.items():
        if isinstance(value, Tensor) and value.dim():
            inside.setdefault(contents.entry[path], []).append(path)
    return {_start(contents, entry, paths): paths for entry, paths in inside.items()}


def _start(contents: Contents, entry: str, paths: list[str]) -> str:
    """A mapping's path, with the attributes that all names in it begin with."""
    start = ""
    for part in contents.name[paths[0]].split(".")[:-1]:
        longer = joined(start, part)
        if part not in ATTRIBUTES or not all(is_below(contents.name[p], longer) for p in paths):
            break
        start = longer
    return joined(entry, start) if start else entry


def rivals(found: Places, best: str) -> list[str]:
    """Other places that could as well be meant: they have half as many tensors, or more."""
    return [
        place
        for place, paths in found.items()
        if place != best and not is_below(place, best) and 2 * len(paths) >= len(found[best])
    ]


def spelled(contents: Contents, place: str, path: str) -> str:
    """A place as it can be given with --entry.

    Args:
        contents: All that the file holds.
        place: From `places` or `by_structure`.
        path: Of a tensor there.
    """
    entry = contents.entry[path]
    if place == entry or not is_below(place, entry):
        return place or "the file itself"
    ahead = place[len(joined(entry, "")) :].split(".")
    written = []  # as in the file: with the names of wrappers
    for part in path[len(joined(entry, "")) :].split("."):
        if ahead:
            written.append(part)
            ahead = ahead[part == ahead[0] :]
    return joined(entry, ".".join(written))
