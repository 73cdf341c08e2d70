"""Beginning and resuming a run: from a configuration and a path of data to a `Trainer`."""

from __future__ import annotations

import os
from dataclasses import replace

import torch

from bnas_deploy.errors import DataError, UsageError
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.checkpoint import load_checkpoint
from bnas_deploy.training.data import ImageData, load_data
from bnas_deploy.training.device import Runtime
from bnas_deploy.training.loop import Trainer
from bnas_deploy.training.preprocessing import PREPROCESSING
from bnas_deploy.training.recipe import Recipe

__all__ = [
    "fresh_trainer",
    "resumed_trainer",
    "set_threads",
]

SEED_LIMIT = 2**32


def set_threads(threads: int | None) -> None:
    """Limit PyTorch's CPU threads; None leaves them as they are.

    Raises:
        UsageError: The number is not between 1 and the machine's cores.
    """
    cores = os.cpu_count() or 1
    if threads is None:
        return
    if not 1 <= threads <= cores:
        msg = f"--threads: expected 1 to {cores} on this machine; got {threads}"
        raise UsageError(msg)
    torch.set_num_threads(threads)


def fresh_trainer(
    config: NetworkConfig,
    data_path: str | os.PathLike[str],
    *,
    recipe: Recipe,
    runtime: Runtime,
    binary: bool = True,
    seed: int = 0,
) -> Trainer:
    """Read the data and build a trainer at its start.

    Args:
        config: The network; its number of classes becomes that of the data.
        data_path: See `load_data`.
        recipe: How to train.
        runtime: Where to train.
        binary: False trains the float counterpart.
        seed: Of weights, order, augmentation and drop-path.

    Raises:
        DataError: The data cannot be read or has a single class.
        UsageError: The seed is out of range.
    """
    # A generator takes 64 bits, and the order of an epoch's images has a million seeds of its own.
    if not 0 <= seed < SEED_LIMIT:
        msg = f"seed: expected 0 to {SEED_LIMIT - 1}; got {seed}"
        raise UsageError(msg)
    data = load_data(data_path, image_size=config.image_size)
    if len(data.classes) < 2:
        msg = f"{data_path}: expected at least two classes; found {', '.join(data.classes)}"
        raise DataError(msg)
    torch.manual_seed(seed)
    network = build_network(replace(config, classes=len(data.classes)), binary=binary)
    size = (config.image_size, config.image_size)
    return Trainer(
        network,
        data,
        recipe=recipe,
        preprocessing=replace(PREPROCESSING[config.dataset], size=size),
        runtime=runtime,
        seed=seed,
    )


def resumed_trainer(
    checkpoint: str | os.PathLike[str],
    data_path: str | os.PathLike[str],
    *,
    runtime: Runtime,
    epochs: int | None = None,
    lr: float | None = None,
) -> Trainer:
    """Read the data and a checkpoint; `epochs` and `lr` replace those of the recipe, if given.

    Raises:
        DataError: The data cannot be read.
        CheckpointError: The checkpoint cannot be read or belongs to other data.
        ConfigError: The new epochs or lr do not fit the run.
    """

    def read(config: NetworkConfig) -> ImageData:
        return load_data(data_path, image_size=config.image_size)

    return load_checkpoint(checkpoint, read, runtime, epochs=epochs, lr=lr)
