"""Starting from the weights of a trained model instead of random ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bnas_deploy.checkpoints.state import State, find_state, names_of
from bnas_deploy.checkpoints.torch_file import load_bytes, read_bytes
from bnas_deploy.errors import CheckpointError
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.shown import some
from bnas_deploy.training.model.trained_model import is_ours, model_of

__all__ = ["is_origin", "start_from"]


def start_from(
    path: str | os.PathLike[str], network: AnyNetwork, entry: str | None = None
) -> dict[str, object]:
    """Put the weights and statistics of a file into a network wherever name and shape fit.

    So the two may differ in classes, shortcuts, image size or precision; what differs begins anew.

    Args:
        path: A `model.pt`, or anybody's checkpoint (see `checkpoints.state`).
        network: Gets its weights, and keeps its own where none fit.
        entry: Which entry of a checkpoint holds the weights.

    Returns:
        file: The model's file name; epochs, dataset, test_accuracy: what it says of its training,
        or None; new: Names of the layers that it had no weights for; notes: How the weights were
        found in a checkpoint, if there is anything to tell.

    Raises:
        CheckpointError: The file cannot be read, or nothing of it fits.
    """
    data = read_bytes(path)
    value = load_bytes(path, data)
    own, notes, training = network.state_dict(), list[str](), dict[str, Any]()
    if is_ours(value):
        if entry is not None:
            msg = f"{path}: --entry is for other checkpoints; this file has one set of weights"
            raise CheckpointError(msg)
        model = model_of(path, value, held=len(data))
        theirs, training = model.network.state_dict(), dict(model.training)
    else:
        state = find_state(str(path), value, entry, known=names_of(own))
        theirs, notes = _checked(path, state, own), _notes(state, own)
    fits = {
        name: theirs[name]
        for name, tensor in own.items()
        if name in theirs and theirs[name].shape == tensor.shape and tensor.ndim
    }
    if not fits:
        msg = f"{path}: no layer has the name and shape of one of the network to be trained"
        raise CheckpointError(msg)
    network.load_state_dict({**own, **fits})
    missing = (name for name, tensor in own.items() if name not in fits and tensor.ndim)
    told = {name: training.get(name) for name in ("epochs", "dataset", "test_accuracy")}
    new = list(dict.fromkeys(name.rpartition(".")[0] for name in missing))
    return {"file": Path(path).name, **told, "new": new, **({"notes": notes} if notes else {})}


def is_origin(value: Mapping[str, object]) -> bool:
    """Whether a value from a file has what `start_from` tells."""
    lists = (value.get("new"), value.get("notes", []))
    names = all(isinstance(x, list) and all(isinstance(name, str) for name in x) for x in lists)
    return names and isinstance(value.get("file"), str)


def _checked(
    path: str | os.PathLike[str], state: State, own: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Those tensors of a checkpoint that the network has, in its types.

    Raises:
        CheckpointError: One holds no numbers, or some that are not finite.
    """
    theirs = {}
    for name, tensor in state.tensors.items():
        if name not in own or tensor.shape != own[name].shape:
            continue
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
            msg = f"{path}: {name}: expected a dense tensor; got {tensor.layout}, {tensor.dtype}"
            raise CheckpointError(msg)
        if not torch.isfinite(tensor).all():
            msg = f"{path}: {name}: holds NaN or infinity"
            raise CheckpointError(msg)
        theirs[name] = tensor.to(own[name].dtype)
    return theirs


def _notes(state: State, own: Mapping[str, Tensor]) -> list[str]:
    unused = [name for name in state.tensors if name not in own]
    unused += [item.name for item in state.left_out]
    return [*state.notes, *([f"not used of it: {some(unused, 6)}"] if unused else [])]
