"""Results of an experiment at one budget, as JSON and back."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from bnas_deploy import atomic
from bnas_deploy.errors import DataError

__all__ = [
    "DONE",
    "FAILED",
    "FORMAT",
    "NOT_RUN",
    "VERSION",
    "JobResult",
    "Results",
    "percent",
    "read_results",
    "spread",
    "write_results",
]

FORMAT, VERSION = "bnas-deploy/results", 1
DONE, FAILED, NOT_RUN = "done", "failed", "not run"


@dataclass(frozen=True)
class JobResult:
    """One variant with one seed.

    Attributes:
        variant: Its name.
        seed: Of everything random.
        status: `done`, `failed` or `not run`.
        reason: Why not done.
        seconds: Of training.
        runtime: Where and in which precision it was trained.
        data: Name of the images.
        metrics: What was measured, by name; accuracies are shares.
        history: Of each epoch: `epoch`, `train_loss`, `train_accuracy`, and `test_accuracy` where
            it was measured.
        gradients: `epochs`: sum of |gradient| over all convolutions, of each epoch; `layers`: of
            each convolution in epoch `layer_epoch`. Empty if they were not recorded.
    """

    variant: str
    seed: int
    status: str
    reason: str = ""
    seconds: float = 0.0
    runtime: str = ""
    data: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = field(default_factory=list)
    gradients: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Results:
    """All jobs of an experiment under a budget.

    Attributes:
        experiment: Its name.
        budget: One of `definition.BUDGETS`.
        date: Of the last job, YYYY-MM-DD.
        machine: Facts.
        versions: Of the software.
        setups: How each variant was trained: network, recipe and so on; plain values.
        jobs: In the order of the variants.
        comparison: What was measured of all variants together.
    """

    experiment: str
    budget: str
    date: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    setups: Mapping[str, Any]
    jobs: tuple[JobResult, ...]
    comparison: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, variant: str) -> list[JobResult]:
        """Return the finished jobs of a variant."""
        return [job for job in self.jobs if job.variant == variant and job.status == DONE]

    def values(self, variant: str, metric: str) -> list[float]:
        """Return the values of a metric, one for each finished job of a variant that has it."""
        return [job.metrics[metric] for job in self.of(variant) if metric in job.metrics]


def write_results(path: str | os.PathLike[str], results: Results) -> None:
    """Write JSON, a line for each job and set-up; an older file is replaced in one step."""
    value = {"format": FORMAT, "version": VERSION, **asdict(results)}
    jobs = "[\n  " + ",\n  ".join(map(json.dumps, value["jobs"])) + "\n ]"
    setups = (f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value["setups"].items())
    lines = {name: json.dumps(entry) for name, entry in value.items()}
    lines |= {"setups": "{\n  " + ",\n  ".join(setups) + "\n }", "jobs": jobs}
    text = ",\n".join(f" {json.dumps(name)}: {entry}" for name, entry in lines.items())
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, f"{{\n{text}\n}}\n")


def read_results(path: str | os.PathLike[str]) -> Results:
    """Read what `write_results` wrote.

    Raises:
        DataError: The file is missing, or is something else.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        if (value.pop("format"), value.pop("version")) != (FORMAT, VERSION):
            msg = f"{path}: expected {FORMAT} of version {VERSION}"
            raise DataError(msg)
        known = {entry.name for entry in fields(JobResult)}
        jobs = tuple(
            JobResult(**{k: v for k, v in job.items() if k in known}) for job in value.pop("jobs")
        )
        return Results(**value, jobs=jobs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: cannot be read as results of bnas-report ({type(error).__name__}: {error})"
        raise DataError(msg) from error


def percent(value: float) -> str:
    """Write a share in percent without the sign."""
    return f"{100 * value:.2f}"


def spread(values: Iterable[float], write: Callable[[float], str]) -> str:
    """Write the mean, and of several values the standard deviation (of a sample) and their number.

    Returns:
        `-` if there are none, `61.23` for one, `61.23 ± 0.45 (3)` for three.
    """
    found = list(values)
    if not found:
        return "-"
    mean = write(statistics.fmean(found))
    if len(found) == 1:
        return mean
    return f"{mean} ± {write(statistics.stdev(found))} ({len(found)})"
