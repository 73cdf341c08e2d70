"""Starting from the weights of a trained model instead of random ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bnas_deploy.errors import CheckpointError
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.training.trained_model import load_model

__all__ = ["is_origin", "start_from"]


def start_from(path: str | os.PathLike[str], network: AnyNetwork) -> dict[str, object]:
    """Put the weights and statistics of a `model.pt` into a network wherever name and shape fit.

    So the two may differ in classes, shortcuts, image size or precision; what differs begins anew.

    Args:
        path: The model.
        network: Gets its weights, and keeps its own where none fit.

    Returns:
        file: The model's file name; epochs, dataset, test_accuracy: what it says of its training,
        or None; new: Names of the layers that it had no weights for.

    Raises:
        CheckpointError: The model cannot be read, or nothing of it fits.
    """
    model = load_model(path)
    own, theirs = network.state_dict(), model.network.state_dict()
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
    told = {name: model.training.get(name) for name in ("epochs", "dataset", "test_accuracy")}
    new = list(dict.fromkeys(name.rpartition(".")[0] for name in missing))
    return {"file": Path(path).name, **told, "new": new}


def is_origin(value: Mapping[str, object]) -> bool:
    """Whether a value from a file has what `start_from` tells."""
    new = value.get("new")
    names = isinstance(new, list) and all(isinstance(name, str) for name in new)
    return names and isinstance(value.get("file"), str)
