"""Trains the jobs of bnas-report as bnas-train would, with the same files."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bnas_deploy.cli.common.stopping import stop_on_signals
from bnas_deploy.cli.train.display import TrainingDisplay
from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.definition import Setup
from bnas_deploy.experiments.running.images import Images
from bnas_deploy.experiments.running.jobs import Job, check_same
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.training.data.images import ImageData
from bnas_deploy.training.data.stream import StreamedData
from bnas_deploy.training.machine.device import choose_runtime
from bnas_deploy.training.record.run_files import CHECKPOINT
from bnas_deploy.training.record.run_record import RunRecordOptions
from bnas_deploy.training.run import start
from bnas_deploy.training.run.loop import Trainer

__all__ = ["Machine", "train_job"]


@dataclass(frozen=True)
class Machine:
    """Where jobs are trained.

    Attributes:
        device: As for `bnas-train --device`.
        amp: In place of the set-up's; None: as it says.
        quiet: Whether to leave out the progress bar.
        teacher: Model file that recipes with a share of distillation learn from.
    """

    device: str = "auto"
    amp: str | None = None
    quiet: bool = False
    teacher: Path | None = None


@dataclass(frozen=True)
class _Held(start.Reading):
    """Images that are in memory already, for all jobs of a process."""

    data: ImageData | None = None

    def read(self, path: object, config: AnyConfig) -> ImageData | StreamedData:
        assert self.data is not None
        return self.data


def train_job(job: Job, images: Images, machine: Machine) -> bool:
    """Train a job to the end, from its checkpoint if there is one.

    Returns:
        False if a signal stopped it; what was done is kept.

    Raises:
        UsageError: The folder holds another run.
        TrainingError: A number stopped being finite.
        DataError: The images cannot be read.
    """
    trainer = _trainer(job, images, machine)
    options = RunRecordOptions(gradients=job.setup.gradients)
    display = TrainingDisplay(trainer, job.folder, options, quiet=machine.quiet)
    with stop_on_signals(trainer):
        finished = display.run()
    if not finished:
        print("stopped; the same command goes on", file=sys.stderr)
    return finished


def _trainer(job: Job, images: Images, machine: Machine) -> Trainer:
    setup = job.setup
    runtime = choose_runtime(device=machine.device, amp=machine.amp or setup.amp)
    source, reading = _reading(setup, images)
    checkpoint = job.folder / CHECKPOINT
    teacher = machine.teacher if setup.recipe.distill else None
    if not checkpoint.exists():
        return start.fresh_trainer(
            setup.network, source, recipe=setup.recipe, runtime=runtime, binary=setup.binary,
            seed=job.seed, teacher=teacher, reading=reading,
        )  # fmt: skip
    trainer = start.resumed_trainer(
        checkpoint, source, runtime=runtime, teacher=teacher, reading=reading
    )
    check_same(
        job,
        config=trainer.network.config,
        recipe=trainer.recipe,
        binary=trainer.network.binary,
        seed=trainer.seed,
    )
    return trainer


def _reading(setup: Setup, images: Images) -> tuple[str, start.Reading]:
    if setup.network.dataset == "cifar10":
        data = images.load(setup)
        return data.name, _Held(data=data)
    if images.imagenet is None:
        msg = "these networks need ImageNet; name its folder with --imagenet"
        raise UsageError(msg)
    return str(images.imagenet), start.Reading()
