"""What stands at which path of a checkpoint, without what PyTorch's wrappers add to names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bnas_deploy.errors import CheckpointError
from bnas_deploy.shown import shown

__all__ = ["Contents", "contents_of", "depth", "is_below", "joined", "safe_key", "without_wrappers"]

WRAPPERS = ("_orig_mod", "module")
"""What torch.compile, and DataParallel and AveragedModel, put into names, wherever they wrap."""

DEPTH = 4
"""Mappings inside mappings that are looked into."""
MOST = 1_000_000
"""Values that are looked at: a small file can say the same mapping many times."""

LONGEST = 1000
"""Characters of a key."""


@dataclass(frozen=True)
class Contents:
    """All that a file holds, by path: the keys on the way to it, with dots between.

    Attributes:
        values: Everything but the mappings that were looked into, by its path in the file.
        entry: The path of the mapping that each value is in; the file itself is the empty path.
        name: The key of each value in its mapping, without the names of wrappers where that tells
            the values of the file apart.
    """

    values: Mapping[str, object]
    entry: Mapping[str, str]
    name: Mapping[str, str]

    def below(self, entry: str) -> Contents:
        """Only what is below a path."""
        kept = [path for path in self.values if path.startswith(f"{entry}.")]
        return Contents(
            {path: self.values[path] for path in kept},
            {path: self.entry[path] for path in kept},
            {path: self.name[path] for path in kept},
        )

    def short(self, path: str) -> str:
        """A value's path with its name as in `name`."""
        return joined(self.entry[path], self.name[path])


def contents_of(source: str, value: Mapping[object, object]) -> Contents:
    """Look into what a file holds.

    Args:
        source: The file's name, for messages.
        value: Plain values and tensors.

    Raises:
        CheckpointError: It holds too many values, or two at one path.
    """
    values: dict[str, object] = {}
    entry, name = {}, {}
    for inside, key, part in _walk("", value, DEPTH):
        path = joined(inside, key)
        if path in values or len(values) == MOST:
            what = "two values at one path" if path in values else f"more than {MOST:,} values"
            msg = f"{source}: {what} ({safe_key(path)}); save the weights alone in a file"
            raise CheckpointError(msg)
        values[path], entry[path], name[path] = part, inside, key
    bare = {path: without_wrappers(key) for path, key in name.items()}
    apart = len({(entry[path], key) for path, key in bare.items()}) == len(values)
    return Contents(values, entry, bare if apart else name)


def joined(path: str, name: str) -> str:
    """A path one step longer."""
    return f"{path}.{name}" if path else name


def is_below(path: str, other: str) -> bool:
    """Whether a path begins with the parts of another."""
    return not other or path == other or path.startswith(f"{other}.")


def depth(path: str) -> int:
    """How many parts a path has."""
    return len(path.split(".")) if path else 0


def without_wrappers(path: str) -> str:
    """A path or name without the parts that wrappers add."""
    return ".".join(part for part in path.split(".") if part not in WRAPPERS) or path


def safe_key(key: object) -> str:
    """A key as text of bounded length."""
    return key if isinstance(key, str) and len(key) < 80 else shown(key)


def _walk(
    entry: str, value: Mapping[object, object], depth: int
) -> Iterator[tuple[str, str, object]]:
    for key, part in value.items():
        name = key if isinstance(key, str) and len(key) < LONGEST else shown(key)
        # An optimizer numbers its tensors; none of them is a weight.
        if isinstance(part, Mapping) and part and depth and "param_groups" not in part:
            yield from _walk(joined(entry, name), part, depth - 1)
        else:
            yield entry, name, part
