"""The weights in a checkpoint of the authors' release, after every check.

It takes what `torch.load(..., weights_only=True)` gives; opening files is the caller's work. What
is left aside is named with its reason, and what cannot be understood is refused.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor

from bnas_deploy.checkpoints.left_out import LeftOut, side_product
from bnas_deploy.checkpoints.names import safe_key
from bnas_deploy.checkpoints.state import NoWeightsError, State, find_state
from bnas_deploy.converters.from_release.layout import looks_released
from bnas_deploy.errors import CheckpointError
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.network import build_network

__all__ = ["checked_weights", "find_weights"]

EXPECTED = "weights of the authors' release (with classifier.weight and cells.0 and so on)"

OWN_NETWORK = (
    "for another network, name the code that builds it:"
    " bnas-export package.module:name --weights FILE --input-shape C,H,W"
)

_NAME = re.compile(r"(stem\d?|cells\.\d+|classifier)\..+")
_DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_COUNTER = "num_batches_tracked"
_SHOWN = 3
_SECOND_HEAD = re.compile(r"auxiliary_head\..*")


def find_weights(source: str, value: object, entry: str | None = None) -> State:
    """Find the weights of a network of the release in what a file holds.

    Args:
        source: The file, for the messages.
        value: Plain values and tensors.
        entry: Which entry of the file holds them.

    Raises:
        CheckpointError: There are none, or several and none was chosen.
    """
    try:
        found = find_state(source, value, entry, known=_known, expected=EXPECTED)
    except NoWeightsError as error:
        msg = f"{error}; {OWN_NETWORK}"
        raise CheckpointError(msg) from error
    if not looks_released(found.tensors):
        msg = f"{source}: no {EXPECTED}; it holds {_first(list(found.tensors))}; {OWN_NETWORK}"
        raise CheckpointError(msg)
    return found


def checked_weights(
    source: str, found: State, config: NetworkConfig, *, held: int
) -> tuple[dict[str, Tensor], tuple[LeftOut, ...]]:
    """Return the float32 tensors of a network by name, and all that is left out.

    Args:
        source: The file, for the messages.
        found: From `find_weights`.
        config: What the network is made of.
        held: Bytes of the file; tensors that claim more are refused before any is copied.

    Raises:
        CheckpointError: A name is missing or unknown, a shape or type is wrong, or a value is not
            finite; the message names it.
    """
    with torch.device("meta"):  # names and shapes only
        expected = build_network(config).state_dict()
    expected = {name: value for name, value in expected.items() if not name.endswith(_COUNTER)}
    strays = [name for name in found.tensors if name not in expected]
    ignored = [LeftOut(safe_key(n), r) for n in strays if (r := _harmless(n)) is not None]
    unknown = [name for name in strays if _harmless(name) is None]
    missing = [name for name in expected if name not in found.tensors]
    if unknown or missing:
        msg = (
            f"{source}: the names are not those of {config.name}: missing {_first(missing)}; not"
            f" part of the network, and without a meaning here: {_first(unknown)}"
        )
        raise CheckpointError(msg)
    tensors = {
        name: _checked(f"{source}: {name}", found.tensors[name], want.shape)
        for name, want in expected.items()
    }
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if claimed > held:
        msg = f"{source}: its tensors claim {claimed:,} bytes; the whole file has {held:,}"
        raise CheckpointError(msg)
    weights = {name: tensor.to(torch.float32).contiguous() for name, tensor in tensors.items()}
    for name, tensor in weights.items():
        _check_values(f"{source}: {name}", tensor)
    return weights, (*found.left_out, *(i for i in ignored if not i.name.endswith(_COUNTER)))


def _known(name: str) -> str | None:
    return name if _NAME.fullmatch(name) and side_product(name) is None else None


def _harmless(name: str) -> str | None:
    if name.endswith(f".{_COUNTER}"):
        return "a counter of training"
    return "a second head, of use in training only" if _SECOND_HEAD.fullmatch(name) else None


def _checked(where: str, value: Tensor, shape: torch.Size) -> Tensor:
    if value.shape != shape:
        msg = f"{where}: expected shape {list(shape)}; got {list(value.shape)}"
        raise CheckpointError(msg)
    if value.dtype not in _DTYPES or value.layout != torch.strided or value.is_meta:
        msg = f"{where}: expected a dense tensor of floats; got {value.dtype}, {value.layout}"
        raise CheckpointError(msg)
    return value


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
