"""Jobs: a variant, a seed and the folder it is trained in; reading finished folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.definition import Experiment, Setup, Variant
from bnas_deploy.experiments.results import DONE, JobResult
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.shown import shown
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.record.run_files import MODEL

if TYPE_CHECKING:
    from bnas_deploy.training.model.trained_model import TrainedModel

__all__ = ["Job", "check_same", "finished", "job_result", "make_jobs"]

PAPERS_EPOCH = 100
"""The epoch of which the paper shows the gradients."""


@dataclass(frozen=True)
class Job:
    """One thing to do.

    Attributes:
        variant: What.
        seed: Of everything random.
        folder: `<runs>/<experiment>-<budget>/<variant>-<seed>`.
    """

    variant: Variant
    seed: int
    folder: Path

    @property
    def setup(self) -> Setup:
        """How it is trained; only of variants that are."""
        assert self.variant.setup is not None
        return self.variant.setup


def make_jobs(
    experiment: Experiment, variants: tuple[Variant, ...], *, budget: str, runs: Path,
    seeds: tuple[int, ...],
) -> list[Job]:  # fmt: skip
    """List the jobs of an experiment, those that others share included."""
    return [
        Job(v, seed, runs / f"{v.home or experiment.name}-{budget}" / f"{v.name}-{seed}")
        for v in variants
        for seed in (seeds[:1] if v.shipped or v.given else seeds)
    ]


def finished(job: Job) -> TrainedModel | None:
    """Return a job's network if it is trained to the end.

    Raises:
        UsageError: The folder holds another network or recipe.
        CheckpointError: Its model.pt is damaged.
    """
    path = job.folder / MODEL
    if not path.exists():
        return None
    from bnas_deploy.training.model.trained_model import load_model  # noqa: PLC0415 - it needs torch

    model = load_model(path)
    training = model.training
    check_same(
        job,
        config=model.config,
        recipe=Recipe.from_dict(training["recipe"]),
        binary=model.network.binary,
        seed=training["seed"],
    )
    if training.get("initial"):
        msg = f"{path} began with the weights of {shown(training['initial'])}; move it away"
        raise UsageError(msg)
    recipe = job.setup.recipe
    in_time = recipe.hours > 0 and training["seconds"] >= 3600 * recipe.hours
    return model if in_time or training["epochs"] >= recipe.epochs else None


def check_same(job: Job, *, config: AnyConfig, recipe: Recipe, binary: bool, seed: int) -> None:
    """Check that what lies in a job's folder is that job's.

    Raises:
        UsageError: It is not; the message names what differs.
    """
    setup = job.setup
    wanted: dict[str, Any] = {
        **_values(replace(setup.network, classes=config.classes)),
        **_values(setup.recipe),
        "binary": setup.binary,
        "seed": job.seed,
    }
    found = {**_values(config), **_values(recipe), "binary": binary, "seed": seed}
    differ = [name for name in wanted if wanted[name] != found.get(name)]
    if differ:
        told = [name for name in differ if name != "genotype"]
        what = ", ".join(f"{n} is {found.get(n)}, not {wanted[n]}" for n in told)
        msg = f"{job.folder} holds another run ({what or 'another genotype'}); move it away"
        raise UsageError(msg)


def job_result(job: Job, model: TrainedModel, measured: Mapping[str, float]) -> JobResult:
    """Return what a finished job gave.

    Args:
        job: The job.
        model: From `finished`.
        measured: Further metrics.
    """
    training = model.training
    names = ("train_accuracy", "test_accuracy")
    metrics = {name: training[name] for name in names if training[name] is not None}
    if "test_accuracy" not in metrics:
        # ImageNet has no test images with labels; what papers give is the accuracy on val.
        metrics["test_accuracy"] = training["validation_accuracy"]
    return JobResult(
        variant=job.variant.name,
        seed=job.seed,
        status=DONE,
        seconds=training["seconds"],
        runtime=training["runtime"],
        data=training["dataset"],
        metrics={**metrics, **measured},
        history=[_rounded(row) for row in training["history"]],
        gradients=_gradients(job.folder),
    )


def _values(value: AnyConfig | Recipe) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _rounded(row: Mapping[str, float]) -> dict[str, float]:
    names = ("epoch", "train_loss", "train_accuracy", "test_accuracy")
    return {name: round(row[name], 5) for name in names if name in row}


def _gradients(folder: Path) -> dict[str, Any]:
    from bnas_deploy.training.record.gradients import GRADIENTS, read_gradients  # noqa: PLC0415

    path = folder / GRADIENTS
    rows = read_gradients(path) if path.exists() else []
    if not rows:
        return {}
    epochs = sorted({row.epoch for row in rows})
    shown = PAPERS_EPOCH if PAPERS_EPOCH in epochs else epochs[-1]
    sums = {epoch: sum(row.mean for row in rows if row.epoch == epoch) for epoch in epochs}
    return {
        "epochs": [round(value, 3) for value in sums.values()],
        "layer_epoch": shown,
        "layers": [round(row.mean, 4) for row in rows if row.epoch == shown],
    }
