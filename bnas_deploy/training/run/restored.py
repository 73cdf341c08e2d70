"""Parts of a checkpoint, checked as they are taken out of it.

All raise `CheckpointError` where a value is not what it should be.
"""

from __future__ import annotations

import os
from typing import Any

from torch import Tensor

from bnas_deploy.errors import CheckpointError, UsageError
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.shown import shown
from bnas_deploy.training.model.initial import is_origin
from bnas_deploy.training.model.teacher import Teacher, load_teacher_again
from bnas_deploy.training.run.average import WeightAverage
from bnas_deploy.training.run.progress import Progress

__all__ = ["initial_of", "progress_of", "restore_average", "state_of", "teacher_of"]


def progress_of(path: str | os.PathLike[str], value: dict[str, Any]) -> Progress:
    """Return where the run stood."""
    progress = Progress(**value)
    times = (progress.seconds, progress.epoch_seconds)
    numbers = (progress.epoch, progress.step, progress.correct, progress.loss, *times)
    whole = all(isinstance(number, int) for number in numbers[:3])
    if not whole or not all(number >= 0 for number in numbers):
        msg = f"{path}: the progress must be numbers of at least 0; got {shown(value)}"
        raise CheckpointError(msg)
    rows: object = progress.history
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        msg = f"{path}: the progress must have a list of rows; got {shown(rows)}"
        raise CheckpointError(msg)
    return progress


def state_of(
    path: str | os.PathLike[str], value: object, name: str, network: AnyNetwork
) -> dict[str, Tensor]:
    """Return the tensors of a network that a checkpoint calls `name`."""
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    tensors = isinstance(value, dict) and all(isinstance(t, Tensor) for t in value.values())
    found: dict[str, Tensor] = value if tensors else {}  # type: ignore[assignment]
    if {name: tensor.shape for name, tensor in found.items()} != shapes:
        msg = f"{path}: {name} must have the tensors of the network"
        raise CheckpointError(msg)
    return found


def restore_average(path: str | os.PathLike[str], value: Any, average: WeightAverage) -> None:  # noqa: ANN401
    """Put saved averages into a trainer's."""
    if not average.fits(value):
        msg = f"{path}: average must have the weights of the network; got {shown(value)}"
        raise CheckpointError(msg)
    average.restore(value)


def initial_of(path: str | os.PathLike[str], value: object) -> dict[str, object] | None:
    """Return what is known of the model that the run began with; None: it began without."""
    if value is None:
        return None
    if not isinstance(value, dict) or not is_origin(value):
        msg = f"{path}: initial must say which file the weights come from; got {shown(value)}"
        raise CheckpointError(msg)
    return value


def teacher_of(
    path: str | os.PathLike[str], origin: object, moved: str | os.PathLike[str] | None
) -> Teacher | None:
    """Return the run's teacher, from where it was or where it was moved to."""
    if origin is not None:
        return load_teacher_again(path, origin, moved)
    if moved is not None:
        msg = f"{path}: the run has no teacher; leave out --teacher"
        raise UsageError(msg)
    return None
