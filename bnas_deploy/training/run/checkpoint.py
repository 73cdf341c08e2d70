"""Saves and restores a run so that it goes on exactly."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bnas_deploy.checkpoints.torch_file import read_file, write_file
from bnas_deploy.errors import (
    BnasError,
    CheckpointError,
    ConfigError,
    DataError,
    TrainingError,
    UsageError,
)
from bnas_deploy.networks.config import AnyConfig, config_from_dict
from bnas_deploy.training.data.holdout import hold_out
from bnas_deploy.training.data.images import ImageData
from bnas_deploy.training.data.preprocessing import preprocessing_from_dict, preprocessing_to_dict
from bnas_deploy.training.data.stream import StreamedData
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.machine.parallel import Group
from bnas_deploy.training.model.trained_model import load_network
from bnas_deploy.training.recipes.optimizers import misfit
from bnas_deploy.training.recipes.recipe import CHANGEABLE, Recipe
from bnas_deploy.training.run.loop import Trainer
from bnas_deploy.training.run.requirements import check_recipe
from bnas_deploy.training.run.restored import (
    initial_of,
    progress_of,
    restore_average,
    state_of,
    teacher_of,
)

__all__ = [
    "FORMAT",
    "VERSION",
    "load_checkpoint",
    "save_checkpoint",
]

FORMAT = "bnas-deploy/checkpoint"
VERSION = 1
_DAMAGE = (
    BnasError,
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
)
"""What taking apart a value of an unexpected form may raise."""


def save_checkpoint(path: str | os.PathLike[str], trainer: Trainer) -> None:
    """Write everything that the rest of the run depends on.

    In a group only one process need do it: all have the same state.

    Raises:
        TrainingError: A weight or statistic is not finite; an older file is left as it is.
    """
    for name, tensor in trainer.network.state_dict().items():
        if not torch.isfinite(tensor).all():
            msg = f"{name} became nan or infinite in epoch {trainer.progress.epoch}"
            raise TrainingError(msg)
    value = {
        "format": FORMAT,
        "version": VERSION,
        "config": trainer.network.config.to_dict(),
        "binary": trainer.network.binary,
        "recipe": trainer.recipe.to_dict(),
        "preprocessing": preprocessing_to_dict(trainer.preprocessing),
        "dataset": trainer.data.name,
        "classes": list(trainer.data.classes),
        "images": _counts(trainer.data),
        "seed": trainer.seed,
        "progress": asdict(trainer.progress),
        "phases": trainer.phases,
        "initial": trainer.initial,
        "teacher": None if trainer.teacher is None else trainer.teacher.origin(),
        "state_dict": trainer.network.state_dict(),
        "best": trainer.best,
        "average": None if trainer.average is None else trainer.average.state(),
        "optimizer": trainer.optimizer.state_dict(),
        "random": _random_states(trainer),
    }
    write_file(path, value)


def load_checkpoint(
    path: str | os.PathLike[str],
    read_data: Callable[[AnyConfig], ImageData | StreamedData],
    runtime: Runtime,
    *,
    changes: Mapping[str, float | str] | None = None,
    teacher: str | os.PathLike[str] | None = None,
    dataset: str | None = None,
    group: Group | None = None,
) -> Trainer:
    """Rebuild a trainer that goes on where the saved one stood.

    On a CPU, with the same runtime and thread count, the rest of the run is the same bit for bit.

    Args:
        path: The checkpoint.
        read_data: Returns the images, given what the network expects.
        runtime: Where to go on.
        changes: New values of settings of `recipe.CHANGEABLE`; the rest of the run follows them.
        teacher: Where the run's teacher is now; None: where it was.
        dataset: What to call the data from now on; None: as before.
        group: The processes that go on together; there may be more or fewer than before.

    Raises:
        CheckpointError: The file is missing or damaged, or belongs to other data; or the teacher
            is missing, or another one.
        UsageError: The recipe does not fit the data or the group as they are now.
        ConfigError: A setting cannot change, its new value is out of range, or more epochs than
            that are done already.
    """
    value = read_file(path, kind=FORMAT, version=VERSION)
    try:
        trainer = _restore(
            path, value, read_data, runtime, teacher=teacher, dataset=dataset, group=group
        )
    except (CheckpointError, DataError, UsageError):
        raise
    except _DAMAGE as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        msg = f"{path}: the checkpoint is damaged ({reason}); train again, or use an older one"
        raise CheckpointError(msg) from error
    trainer.recipe = _changed(trainer, changes or {})
    check_recipe(trainer)
    return trainer


def _restore(
    path: str | os.PathLike[str],
    value: dict[str, Any],
    read_data: Callable[[AnyConfig], ImageData | StreamedData],
    runtime: Runtime,
    *,
    teacher: str | os.PathLike[str] | None,
    dataset: str | None,
    group: Group | None,
) -> Trainer:
    config = config_from_dict(value["config"])
    data = read_data(config)
    # Older checkpoints lack the name, the phases and where the weights come from.
    name = str(value.get("dataset", data.name)) if dataset is None else dataset
    recipe = Recipe.from_dict(value["recipe"])
    data = replace(hold_out(data, recipe), name=name)
    _check_data(path, value, data)
    network = load_network(
        path,
        config,
        value["state_dict"],
        binary=value["binary"],
        held=Path(path).stat().st_size,
    )
    trainer = Trainer(
        network,
        data,
        recipe=recipe,
        preprocessing=preprocessing_from_dict(value["preprocessing"]),
        runtime=runtime,
        seed=value["seed"],
        initial=initial_of(path, value.get("initial")),
        teacher=teacher_of(path, value.get("teacher"), teacher),
        group=group,
    )
    trainer.optimizer.load_state_dict(value["optimizer"])
    _check_optimizer(path, trainer)
    trainer.progress = progress_of(path, value["progress"])
    if value.get("best") is not None:
        trainer.best = state_of(path, value["best"], "best", network)
    if trainer.average is not None:
        restore_average(path, value.get("average"), trainer.average)
    trainer.phases = [dict(phase) for phase in value.get("phases", [])]
    _restore_random(trainer, value["random"])
    return trainer


def _changed(trainer: Trainer, changes: Mapping[str, float | str]) -> Recipe:
    fixed = [name for name in changes if name not in CHANGEABLE]
    if fixed:
        msg = f"recipe: of a run that goes on only {', '.join(CHANGEABLE)} may change; got {fixed}"
        raise ConfigError(msg)
    recipe = Recipe.from_dict(changes, trainer.recipe)
    done = trainer.progress.epoch + (trainer.progress.step > 0)
    if recipe.epochs < done:
        msg = f"recipe: epochs must be at least {done}, which are done; got {recipe.epochs}"
        raise ConfigError(msg)
    return recipe


def _check_optimizer(path: str | os.PathLike[str], trainer: Trainer) -> None:
    wrong = misfit(trainer.optimizer)
    if wrong is not None:
        msg = f"{path}: {wrong}"
        raise CheckpointError(msg)


def _counts(data: ImageData | StreamedData) -> list[int]:
    counts = [len(images) for images in (data.train, data.validation, data.test)]
    return [count for count in counts if count]


def _check_data(
    path: str | os.PathLike[str], value: dict[str, Any], data: ImageData | StreamedData
) -> None:
    counts = _counts(data)
    if value["classes"] != list(data.classes) or value["images"] != counts:
        msg = (
            f"{path}: the run was on {value['images']} images to train, choose and test with, of"
            f" {len(value['classes'])} classes; this data has {counts} of {len(data.classes)}"
        )
        raise CheckpointError(msg)


def _random_states(trainer: Trainer) -> dict[str, Any]:
    name, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    state = {
        "torch": torch.get_rng_state(),
        "numpy": [name, torch.from_numpy(np.asarray(keys, np.int64)), position, has_gauss, cached],
        "python": random.getstate(),
        "augmentation": trainer.augmentation.generator.get_state(),
    }
    if trainer.runtime.device == "cuda":
        # Processes draw alike, so that the GPU of one speaks for all.
        state["cuda"] = [torch.cuda.get_rng_state()]
    return state


def _restore_random(trainer: Trainer, state: dict[str, Any]) -> None:
    name, keys, position, has_gauss, cached = state["numpy"]
    torch.set_rng_state(state["torch"])
    np.random.set_state(  # noqa: NPY002
        (name, keys.numpy().astype(np.uint32), position, has_gauss, cached)
    )
    random.setstate(state["python"])
    trainer.augmentation.generator.set_state(state["augmentation"])
    if trainer.runtime.device == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"][0])
