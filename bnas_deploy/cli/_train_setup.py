"""Turning bnas-train's arguments into a trainer. Separate, so that --help need not load torch."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import torch

from bnas_deploy.errors import DataError, UsageError
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.checkpoint import load_checkpoint
from bnas_deploy.training.data import ImageData, load_data
from bnas_deploy.training.device import choose_runtime
from bnas_deploy.training.loop import Trainer
from bnas_deploy.training.preprocessing import PREPROCESSING
from bnas_deploy.training.recipe import Recipe


def set_threads(threads: int | None) -> None:
    """Limit the CPU threads of PyTorch and of the fused units.

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
    data_path: str,
    *,
    recipe: Recipe,
    binary: bool,
    seed: int,
    machine: dict[str, str],
) -> Trainer:
    """Read the data and build a trainer at its start.

    Raises:
        DataError: The data cannot be read.
    """
    runtime = choose_runtime(**machine)
    data = load_data(data_path, image_size=config.image_size)
    _check_data(data, data_path)
    torch.manual_seed(seed)
    network = build_network(replace(config, classes=len(data.classes)), binary=binary)
    kind = PREPROCESSING[config.dataset]
    return Trainer(
        network,
        data,
        recipe=recipe,
        preprocessing=replace(kind, size=(config.image_size, config.image_size)),
        runtime=runtime,
        seed=seed,
    )


def resumed_trainer(checkpoint: Path, data_path: str, machine: dict[str, str]) -> Trainer:
    """Read the data and a checkpoint.

    Raises:
        DataError: The data cannot be read.
        CheckpointError: The checkpoint cannot be read or belongs to other data.
    """
    runtime = choose_runtime(**machine)

    def read(config: NetworkConfig) -> ImageData:
        return load_data(data_path, image_size=config.image_size)

    return load_checkpoint(checkpoint, read, runtime)


def _check_data(data: ImageData, path: str) -> None:
    if len(data.classes) < 2:
        msg = f"{path}: expected at least two classes; found {', '.join(data.classes)}"
        raise DataError(msg)
