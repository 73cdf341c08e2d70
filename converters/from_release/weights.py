"""The weights in a checkpoint of the authors' release, after every check.

It takes what `torch.load(..., weights_only=True)` gives; opening files is the caller's work. What
is left aside is named with its reason, and what cannot be understood is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from bnas_deploy.converters.from_release.layout import looks_released
from bnas_deploy.errors import CheckpointError
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.network import build_network
from bnas_deploy.shown import shown

__all__ = ["Ignored", "StateDict", "checked_weights", "find_state_dict"]

PREFIX = "module."

_DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_COUNTER = "num_batches_tracked"
_SHOWN = 3
_HARMLESS = (
    (re.compile(r"(.*\.)?total_(ops|params)"), "a profiler's count"),
    (re.compile(r"auxiliary_head\..*"), "a second head, of use in training only"),
)
"""Names that a state_dict may have besides the network's."""


@dataclass(frozen=True)
class Ignored:
    """An entry that is not used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class StateDict:
    """The entries of a network, prefixes removed, and what stood beside them.

    Attributes:
        entries: Values by name, unchecked.
        ignored: What is not used.
        notes: How the entries were found, for people.
    """

    entries: Mapping[str, object]
    ignored: tuple[Ignored, ...] = ()
    notes: tuple[str, ...] = ()


def find_state_dict(source: str, value: object) -> StateDict:
    """Find the state_dict in what a file holds: the value itself, or one entry of it.

    Args:
        source: The file, for the messages.
        value: Plain values and tensors.

    Raises:
        CheckpointError: There is none, there are several, or only some names have the prefix.
    """
    if not isinstance(value, Mapping):
        msg = f"{source}: expected a state_dict of the release; got {type(value).__name__}"
        raise CheckpointError(msg)
    found = {key: part for key, part in {None: value, **value}.items() if _released(part)}
    if len(found) != 1:
        raise CheckpointError(_not_one(source, value, [key for key in found if key is not None]))
    ((wrapper, part),) = found.items()
    assert isinstance(part, Mapping)
    entries, prefixed = _without_prefix(part)
    notes = [f"its state_dict is the entry {safe_key(wrapper)}"] if wrapper is not None else []
    notes += [f"the prefix {PREFIX} was removed"] if prefixed else []
    others = () if wrapper is None else [item for item in value.items() if item[0] != wrapper]
    ignored = tuple(Ignored(safe_key(key), _reason(key, other)) for key, other in others)
    return StateDict(entries, ignored, tuple(notes))


def checked_weights(
    source: str, found: StateDict, config: NetworkConfig, *, held: int
) -> tuple[dict[str, Tensor], tuple[Ignored, ...]]:
    """Return the float32 tensors of a network by name, and all that is ignored.

    Args:
        source: The file, for the messages.
        found: From `find_state_dict`.
        config: What the network is made of.
        held: Bytes of the file; tensors that claim more are refused before any is copied.

    Raises:
        CheckpointError: A name is missing or unknown, a shape or type is wrong, or a value is not
            finite; the message names it.
    """
    with torch.device("meta"):  # names and shapes only
        expected = build_network(config).state_dict()
    expected = {name: value for name, value in expected.items() if not name.endswith(_COUNTER)}
    strays = [name for name in found.entries if name not in expected]
    ignored = tuple(Ignored(safe_key(n), r) for n in strays if (r := _harmless(n)) is not None)
    unknown = [name for name in strays if _harmless(name) is None]
    missing = [name for name in expected if name not in found.entries]
    if unknown or missing:
        msg = (
            f"{source}: the names are not those of {config.name}: missing {_first(missing)}; not"
            f" part of the network, and without a meaning here: {_first(unknown)}"
        )
        raise CheckpointError(msg)
    tensors = {
        name: _checked(f"{source}: {name}", found.entries[name], want.shape)
        for name, want in expected.items()
    }
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if claimed > held:
        msg = f"{source}: its tensors claim {claimed:,} bytes; the whole file has {held:,}"
        raise CheckpointError(msg)
    weights = {name: tensor.to(torch.float32).contiguous() for name, tensor in tensors.items()}
    for name, tensor in weights.items():
        _check_values(f"{source}: {name}", tensor)
    return weights, (*found.ignored, *(i for i in ignored if not i.name.endswith(_COUNTER)))


def safe_key(key: object) -> str:
    """A key as text of bounded length."""
    return key if isinstance(key, str) and len(key) < 80 else shown(key)


def _released(part: object) -> bool:
    return isinstance(part, Mapping) and looks_released(_without_prefix(part)[0])


def _without_prefix(part: Mapping[object, object]) -> tuple[dict[str, object], bool]:
    entries = {key if isinstance(key, str) else repr(key): v for key, v in part.items()}
    prefixed = False
    while entries and all(name.startswith(PREFIX) for name in entries):
        entries = {name[len(PREFIX) :]: v for name, v in entries.items()}
        prefixed = True
    return entries, prefixed


def _not_one(source: str, value: Mapping[object, object], found: list[object]) -> str:
    if found:
        names = ", ".join(map(safe_key, found))
        return (
            f"{source}: several entries hold weights of such a network ({names}); save the one that"
            " you mean in a file of its own"
        )
    some = [key for key in value if isinstance(key, str) and key.startswith(PREFIX)]
    if some and len(some) < len(value):
        return f"{source}: {len(some)} of {len(value)} names begin with {PREFIX}, the others do not"
    return (
        f"{source}: neither a model.pt of bnas-train nor a state_dict of the release (with"
        f" classifier.weight and cells.0 and so on); it holds {_first(list(value))}"
    )


def _reason(key: object, value: object) -> str:
    if isinstance(value, Mapping) and ("param_groups" in value or "optim" in str(key).lower()):
        return "an optimizer's state, of use in training only"
    if isinstance(value, Mapping):
        return "not a state_dict of the network"
    return "a note beside the weights"


def _harmless(name: str) -> str | None:
    if name.endswith(f".{_COUNTER}"):
        return "a counter of training"
    return next((reason for known, reason in _HARMLESS if known.fullmatch(name)), None)


def _checked(where: str, value: object, shape: torch.Size) -> Tensor:
    if not isinstance(value, Tensor):
        msg = f"{where}: expected a tensor; got {type(value).__name__}"
        raise CheckpointError(msg)
    if value.shape != shape:
        msg = f"{where}: expected shape {list(shape)}; got {list(value.shape)}"
        raise CheckpointError(msg)
    if value.dtype not in _DTYPES or value.layout != torch.strided or value.is_meta:
        msg = f"{where}: expected a dense tensor of floats; got {value.dtype}, {value.layout}"
        raise CheckpointError(msg)
    return value.detach()


def _check_values(where: str, tensor: Tensor) -> None:
    if not torch.isfinite(tensor).all():
        bad = int((~torch.isfinite(tensor)).sum())
        msg = f"{where}: {bad} of {tensor.numel()} numbers are NaN or infinite in float32"
        raise CheckpointError(msg)
    if where.endswith(".running_var") and (tensor < 0).any():
        msg = f"{where}: a variance is negative ({float(tensor.min()):g})"
        raise CheckpointError(msg)


def _first(names: list[object] | list[str]) -> str:
    shown = ", ".join(safe_key(name) for name in names[:_SHOWN]) or "nothing"
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
