"""Saves and restores a search so that it goes on exactly."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch

from bnas_deploy.checkpoints.torch_file import read_file, write_file
from bnas_deploy.errors import BnasError, CheckpointError, ConfigError, DataError
from bnas_deploy.latency.table import LatencyTable
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.search.loop import Searcher, SearchProgress
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.search.start import fresh_searcher
from bnas_deploy.search.timing import Timing
from bnas_deploy.training.data.images import ImageData
from bnas_deploy.training.machine.device import Runtime

__all__ = [
    "FORMAT",
    "VERSION",
    "load_search",
    "save_search",
]

FORMAT = "bnas-deploy/search"
VERSION = 1
_DAMAGE = (
    BnasError,
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
)
"""What taking apart a value of an unexpected form may raise."""


def save_search(path: str | os.PathLike[str], searcher: Searcher) -> None:
    """Write everything that the rest of the search depends on.

    Raises:
        TrainingError: The state is not finite; an older checkpoint stays as it is.
    """
    searcher.check_finite()
    alternation = searcher.alternation
    value = {
        "format": FORMAT,
        "version": VERSION,
        "recipe": searcher.recipe.to_dict(),
        "gammas": list(searcher.gammas),
        "dataset": searcher.data.name,
        "classes": list(searcher.data.classes),
        "images": len(searcher.data.train),
        "seed": searcher.seed,
        "progress": asdict(searcher.progress),
        "state_dict": searcher.supernet.state_dict(),
        "weight_optimizer": alternation.weight_optimizer.state_dict(),
        "arch_optimizer": alternation.arch_optimizer.state_dict(),
        "augmentation": searcher.augmentation.generator.get_state(),
        "timing": _timing_value(searcher.timing),
    }
    write_file(path, value)


def load_search(
    path: str | os.PathLike[str],
    read_data: Callable[[SearchRecipe], ImageData],
    runtime: Runtime,
    *,
    gammas: Sequence[float] | None = None,
    changes: Mapping[str, float | str] | None = None,
) -> Searcher:
    """Rebuild a searcher that goes on where the saved one stood.

    On a CPU, with the same runtime and thread count, the rest of the search is the same bit for
    bit.

    Args:
        path: The checkpoint.
        read_data: Returns the images, given the recipe.
        runtime: Where to go on.
        gammas: New ones for the cells; None keeps those of the search.
        changes: New values of the recipe's `epochs` and `lr` for the rest.

    Raises:
        CheckpointError: The file is missing or damaged, or belongs to other data.
        ConfigError: A new value is out of range, or more epochs than that are done already.
    """
    value = read_file(path, kind=FORMAT, version=VERSION)
    try:
        searcher = _restore(path, value, read_data, runtime)
    except (CheckpointError, DataError):
        raise
    except _DAMAGE as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        msg = f"{path}: the checkpoint is damaged ({reason}); search again, or use an older one"
        raise CheckpointError(msg) from error
    if gammas is not None:
        searcher.gammas = tuple(gammas)
    _change(searcher, changes or {})
    return searcher


def _restore(
    path: str | os.PathLike[str],
    value: dict[str, Any],
    read_data: Callable[[SearchRecipe], ImageData],
    runtime: Runtime,
) -> Searcher:
    recipe = SearchRecipe.from_dict(value["recipe"])
    data = replace(read_data(recipe), name=str(value["dataset"]))
    if value["classes"] != list(data.classes) or value["images"] != len(data.train):
        msg = (
            f"{path}: the search was on {value['images']} training images of"
            f" {len(value['classes'])} classes; this data has {len(data.train)} of"
            f" {len(data.classes)}"
        )
        raise CheckpointError(msg)
    searcher = fresh_searcher(
        data,
        recipe=recipe,
        runtime=runtime,
        seed=value["seed"],
        gammas=value["gammas"],
        timing=_timing(value.get("timing"), recipe),
    )
    searcher.supernet.load_state_dict(value["state_dict"])
    searcher.check_finite()
    for optimizer in ("weight_optimizer", "arch_optimizer"):
        getattr(searcher.alternation, optimizer).load_state_dict(value[optimizer])
        _check_optimizer(path, getattr(searcher.alternation, optimizer))
    searcher.progress = _progress(path, value["progress"], searcher)
    searcher.augmentation.generator.set_state(value["augmentation"])
    return searcher


def _timing_value(timing: Timing | None) -> dict[str, Any] | None:
    if timing is None:
        return None
    return {
        "table": timing.table.to_dict(),
        "network": timing.config.to_dict(),
        "weight": timing.weight,
        "margin": timing.margin,
    }


def _timing(value: dict[str, Any] | None, recipe: SearchRecipe) -> Timing | None:
    if value is None:
        return None
    table = LatencyTable.from_dict(value["table"])
    timing = Timing(table, NetworkConfig.from_dict(value["network"]), recipe)
    timing.weight, timing.margin = float(value["weight"]), float(value["margin"])
    return timing


def _progress(
    path: str | os.PathLike[str], value: dict[str, Any], searcher: Searcher
) -> SearchProgress:
    progress = SearchProgress(**value)
    counts = (value["epoch"], value["step"])
    whole = all(isinstance(count, int) and count >= 0 for count in counts)
    if not whole or len(progress.sums) != 4 or progress.epoch > searcher.recipe.epochs:
        msg = f"{path}: expected whole numbers of epochs and steps and four sums"
        raise CheckpointError(msg)
    if not len(progress.history) == len(progress.cells) == progress.epoch:
        msg = f"{path}: expected a row and cells for each of {progress.epoch} epochs"
        raise CheckpointError(msg)
    return progress


def _check_optimizer(path: str | os.PathLike[str], optimizer: torch.optim.Optimizer) -> None:
    # PyTorch notices a state of another shape in the first step only.
    for parameter, state in optimizer.state.items():
        for name, tensor in state.items():
            if getattr(tensor, "ndim", 0) and tensor.shape != parameter.shape:
                msg = (
                    f"{path}: expected {name} of shape {tuple(parameter.shape)};"
                    f" got {tuple(tensor.shape)}"
                )
                raise CheckpointError(msg)


def _change(searcher: Searcher, changes: Mapping[str, float | str]) -> None:
    recipe = SearchRecipe.from_dict(changes, searcher.recipe)
    done = searcher.progress.epoch + (searcher.progress.step > 0)
    if recipe.epochs < done:
        msg = f"search: epochs must be at least {done}, which are done; got {recipe.epochs}"
        raise ConfigError(msg)
    searcher.recipe = searcher.alternation.recipe = recipe
    if searcher.timing is not None:
        searcher.timing.recipe = recipe
