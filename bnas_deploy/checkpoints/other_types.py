"""The message about a file that holds more than tensors and plain values."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from bnas_deploy.checkpoints.pickled import Pickled, pickled
from bnas_deploy.errors import CheckpointError
from bnas_deploy.shown import shown, some

__all__ = ["OtherTypes", "other_types"]

_PLAIN = re.compile(
    r"collections\.OrderedDict|torch\.(_utils|storage|serialization)\..*"
    r"|torch\.(\w*Storage|Size|device|b?float\d+|u?int\d+|bool|nn\.parameter\.Parameter)"
)
"""What tensors and plain values are made of."""
_TENSOR = "torch._utils._rebuild_"
_NUMPY = {
    "numpy.core.multiarray.scalar": "a NumPy number",
    "numpy.core.multiarray._reconstruct": "a NumPy array",
}
_NUMPY_PARTS = ("numpy.dtype", "numpy.ndarray", "_codecs.encode")
MOST_ENTRIES = 3
"""More keys with tensors than this are the names of weights."""


class OtherTypes(CheckpointError):
    """A file holds objects that only running its code would restore."""

    def __init__(self, summary: str, advice: tuple[str, ...]) -> None:
        super().__init__("\n  ".join((summary, *advice)))
        self._lines = (summary, *advice)

    @property
    def lines(self) -> tuple[str, ...]:
        """What there is, and the lines of Python that save the weights again."""
        return self._lines


def other_types(source: str | os.PathLike[str], data: bytes, refused: str) -> OtherTypes:
    """Name what a file holds beside tensors and plain values, and say how to save it again.

    Args:
        source: The file's name.
        data: All of it.
        refused: The type at which reading ended.
    """
    try:
        found = pickled(data)
    except Exception:
        found = Pickled(types={"": [refused]})
    others = {key: odd for key, types in found.types.items() if (odd := _odd(types))}
    if not any(refused in types for types in others.values()):
        others.setdefault("", []).append(refused)
    listed = some([_told(key, types) for key, types in others.items()], 4, "; ")
    summary = f"{source}: it holds more than tensors and plain values: {listed}"
    weights = _weights(found, others)
    if weights is None:
        return OtherTypes(f"{summary}; and there are no tensors in it", ())
    path = Path(source)
    again = str(path.with_name(f"{path.stem}-weights.pt"))
    load = f"torch.load({str(path)!r}, map_location='cpu', weights_only=False)"
    return OtherTypes(
        f"{summary}. Reading these would run code from the file, which is never done here; if you"
        " trust the file, save its weights again:",
        (f"import torch; value = {load}", f"torch.save({weights}, {again!r})"),
    )


def _odd(types: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(types) if not _PLAIN.fullmatch(name)]


def _told(key: str, types: Sequence[str]) -> str:
    numpy = any(name.startswith("numpy.") for name in types)
    parts = [name for name in types if not (numpy and name in _NUMPY_PARTS)]
    told = some([_NUMPY.get(name.replace("._core.", ".core."), name) for name in parts], 3)
    return f"{shown(key)}: {told}" if key else told


def _weights(found: Pickled, others: Collection[str]) -> str | None:
    """Python for the weights in `value`, as far as the file tells where they are."""
    holders = {
        key: types[0]
        for key, types in found.types.items()
        if any(name.startswith(_TENSOR) for name in types)
        and "optim" not in key
        and not types[0].startswith("torch.optim.")
    }
    if not holders:
        return None
    if not found.is_dict:
        return "value.state_dict()"
    clean = [key for key in holders if key not in others]
    if len(clean) == 1:
        return f"value[{clean[0]!r}]"
    if 1 < len(clean) <= MOST_ENTRIES:
        return f"{{key: value[key] for key in {clean}}}"
    if len(holders) > 1:
        return _tensors("value")
    ((key, first),) = holders.items()
    is_dict = first.startswith(("collections.", _TENSOR))
    return _tensors(f"value[{key!r}]") if is_dict else f"value[{key!r}].state_dict()"


def _tensors(mapping: str) -> str:
    return f"{{key: x for key, x in {mapping}.items() if torch.is_tensor(x)}}"
