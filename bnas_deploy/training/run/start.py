"""Starts and resumes a run: from a configuration and a path of data to a `Trainer`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bnas_deploy.errors import DataError, UsageError
from bnas_deploy.format.program import Preprocessing
from bnas_deploy.networks.build import build_network
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.training.data.holdout import hold_out
from bnas_deploy.training.data.images import BROKEN, ImageData, load_data
from bnas_deploy.training.data.preprocessing import PREPROCESSING
from bnas_deploy.training.data.stream import FORM, StreamedData, open_folder
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.machine.parallel import Group
from bnas_deploy.training.model.initial import start_from
from bnas_deploy.training.model.teacher import load_teacher
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.run.checkpoint import load_checkpoint
from bnas_deploy.training.run.loop import Trainer

__all__ = [
    "STREAM",
    "Reading",
    "fresh_trainer",
    "preprocessing_for",
    "resumed_trainer",
    "set_threads",
]

SEED_LIMIT = 2**32

STREAM = ("auto", "on", "off")


@dataclass(frozen=True)
class Reading:
    """How a data set is read.

    Attributes:
        stream: `on`: images stay on disk and are decoded as they are needed; `off`: all are read
            into memory first; `auto`: on for a folder that a network for ImageNet is trained on.
        workers: Threads that decode streamed images; None: as many as there are cores.
        broken: Share of the pictures that may be left out because they cannot be read; None:
            `images.BROKEN`. A streamed picture that cannot be read ends the run.
    """

    stream: str = "auto"
    workers: int | None = None
    broken: float | None = None

    def read(self, path: str | os.PathLike[str], config: AnyConfig) -> ImageData | StreamedData:
        """Return the data set for a network.

        Raises:
            DataError: It is missing, unreadable or not of the form that is needed.
            UsageError: It is read into memory, and `workers` are given; or it is streamed, and
                `broken` is.
        """
        folder = Path(path).is_dir()
        wanted = self.stream == "on" or (
            self.stream == "auto" and folder and config.dataset == "imagenet"
        )
        if not wanted:
            if self.workers is not None:
                msg = (
                    f"--workers: they decode images that are streamed, and {path} is read into"
                    " memory; add --stream on, or leave it out"
                )
                raise UsageError(msg)
            share = BROKEN if self.broken is None else self.broken
            return load_data(path, image_size=config.image_size, broken=share)
        if self.broken is not None:
            msg = (
                f"--broken: {path} is streamed, and a picture that cannot be read shows when it is"
                " used; add --stream off, or leave it out"
            )
            raise UsageError(msg)
        if not folder:
            msg = f"{path}: only a folder can be streamed (--stream on); {FORM}"
            raise DataError(msg)
        resize = preprocessing_for(config, streamed=True).resize
        return open_folder(path, size=config.image_size, resize=resize, workers=self.workers)


def preprocessing_for(config: AnyConfig, *, streamed: bool) -> Preprocessing:
    """Return what a network's images go through, before training and after it.

    Streamed images for an ImageNet network lose an eighth at the edges when it is evaluated (256
    pixels, of which 224 are used); images in memory were cut to size when they were read.
    """
    size = config.image_size
    resize = round(size / 0.875) if streamed and config.dataset == "imagenet" else size
    return replace(PREPROCESSING[config.dataset], crop=(size, size), resize=resize)


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
    config: AnyConfig,
    data_path: str | os.PathLike[str],
    *,
    recipe: Recipe,
    runtime: Runtime,
    binary: bool = True,
    seed: int = 0,
    init: str | os.PathLike[str] | None = None,
    init_entry: str | None = None,
    teacher: str | os.PathLike[str] | None = None,
    reading: Reading | None = None,
    dataset: str | None = None,
    group: Group | None = None,
) -> Trainer:
    """Read the data and build a trainer at its start.

    Args:
        config: The network; its number of classes becomes that of the data.
        data_path: See `load_data` and `stream.open_folder`.
        recipe: How to train.
        runtime: Where to train.
        binary: False trains the float counterpart.
        seed: Of weights, order, augmentation and drop-path.
        init: A file to take weights from; see `start_from`.
        init_entry: Which of its entries holds them.
        teacher: A `model.pt` whose answers are learned from, as the recipe's `distill` says.
        reading: How the data is read.
        dataset: What the data is called in model.pt; None: as its file or folder.
        group: The processes that train together.

    Raises:
        DataError: The data cannot be read or has a single class.
        CheckpointError: Weights cannot be taken from `init`, or the teacher cannot be read.
        UsageError: The seed is out of range, or the recipe or the teacher does not fit the data or
            the group.
    """
    # A generator takes 64 bits, and the order of an epoch's images has a million seeds of its own.
    if not 0 <= seed < SEED_LIMIT:
        msg = f"seed: expected 0 to {SEED_LIMIT - 1}; got {seed}"
        raise UsageError(msg)
    data = (reading or Reading()).read(data_path, config)
    if len(data.classes) < 2:
        msg = f"{data_path}: expected at least two classes; found {', '.join(data.classes)}"
        raise DataError(msg)
    data = hold_out(data, recipe)
    torch.manual_seed(seed)
    network = build_network(replace(config, classes=len(data.classes)), binary=binary)
    initial = None if init is None else start_from(init, network, init_entry)
    streamed = isinstance(data, StreamedData)
    return Trainer(
        network,
        data if dataset is None else replace(data, name=dataset),
        recipe=recipe,
        preprocessing=preprocessing_for(config, streamed=streamed),
        runtime=runtime,
        seed=seed,
        initial=initial,
        teacher=None if teacher is None else load_teacher(teacher),
        group=group,
    )


def resumed_trainer(
    checkpoint: str | os.PathLike[str],
    data_path: str | os.PathLike[str],
    *,
    runtime: Runtime,
    changes: Mapping[str, float | str] | None = None,
    teacher: str | os.PathLike[str] | None = None,
    reading: Reading | None = None,
    dataset: str | None = None,
    group: Group | None = None,
) -> Trainer:
    """Read the data and a checkpoint; settings that are given replace its own.

    Args:
        checkpoint: Of the run.
        data_path: See `load_data` and `stream.open_folder`.
        runtime: Where to go on.
        changes: New values of settings of the recipe; see `load_checkpoint`.
        teacher: See `load_checkpoint`.
        reading: How the data is read.
        dataset: See `load_checkpoint`.
        group: Likewise.

    Raises:
        DataError: The data cannot be read.
        CheckpointError: The checkpoint cannot be read or belongs to other data.
        ConfigError: A new value does not fit the run.
    """

    def read(config: AnyConfig) -> ImageData | StreamedData:
        return (reading or Reading()).read(data_path, config)

    return load_checkpoint(
        checkpoint,
        read,
        runtime,
        changes=changes,
        teacher=teacher,
        dataset=dataset,
        group=group,
    )
