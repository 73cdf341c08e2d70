"""Runs the jobs of experiments one after the other, and keeps their results.

What trains a job is handed in, so that this file needs neither torch nor a terminal.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bnas_deploy import atomic
from bnas_deploy.errors import BnasError, UsageError
from bnas_deploy.experiments.definition import Cells, Experiment, Setup, Variant
from bnas_deploy.experiments.measuring.measures import evaluate_shipped, measured
from bnas_deploy.experiments.results import (
    DONE,
    FAILED,
    NOT_RUN,
    JobResult,
    Results,
    read_results,
    write_results,
)
from bnas_deploy.experiments.running.given import evaluate_given, timed_variants
from bnas_deploy.experiments.running.images import Images
from bnas_deploy.experiments.running.jobs import Job, finished, job_result, make_jobs
from bnas_deploy.experiments.running.machine import machine_facts, versions
from bnas_deploy.training.record.run_files import MODEL

__all__ = ["Options", "Train", "results_path", "run_experiment"]

Train = Callable[[Job, Images], bool]
"""Trains a job in its folder to the end, from where it stands; False if it was stopped."""

COMPARISON = "comparison.json"
FAILURES = (BnasError, OSError, MemoryError, RuntimeError)
"""What one job may meet without the others being in doubt; PyTorch's own errors are the last."""


@dataclass(frozen=True)
class Options:
    """What to run.

    Attributes:
        runs: Folder of all jobs and results.
        images: Where the images come from.
        cells: Genotypes given as files.
        seeds: In place of the experiment's.
        only: Names of variants; empty: all. The others are collected if they are done.
        teacher: Model file that recipes with a share of distillation learn from; None: they wait.
        shipped: Model file that the row of the shipped network evaluates.
        hours: Of each training, where the experiment's end by the clock; None: its own.
        models: Files of models trained elsewhere, which are further variants of such experiments.
    """

    runs: Path
    images: Images
    cells: Cells = field(default_factory=dict)
    seeds: tuple[int, ...] | None = None
    only: tuple[str, ...] = ()
    teacher: Path | None = None
    shipped: Path = Path("models/bnas-mini.pt")
    hours: float | None = None
    models: tuple[Path, ...] = ()

    @property
    def budget(self) -> str:
        """One of `definition.BUDGETS`."""
        return self.images.budget


def results_path(runs: Path, experiment: str, budget: str) -> Path:
    """Return where an experiment's results lie."""
    return runs / f"{experiment}-{budget}.json"


def run_experiment(
    experiment: Experiment, options: Options, train: Train, say: Callable[[str], None]
) -> Results | None:
    """Run what is not done yet and write the results after every job.

    Args:
        experiment: What.
        options: How.
        train: See `Train`.
        say: Is told what is done.

    Returns:
        The results, or None if training was stopped.

    Raises:
        UsageError: `options.only` names no variant.
    """
    variants = experiment.variants(options.budget, options.cells)
    if experiment.hours is not None:
        hours = options.hours or experiment.hours.get(options.budget)
        variants = timed_variants(variants, hours, options.models)
    _check_only(experiment, options, variants)
    seeds = options.seeds or experiment.seeds[options.budget]
    jobs = make_jobs(experiment, variants, budget=options.budget, runs=options.runs, seeds=seeds)
    found: dict[int, JobResult] = {i: _not_run(job, options) for i, job in enumerate(jobs)}
    path = results_path(options.runs, experiment.name, options.budget)
    earlier = _earlier(experiment, path, variants)
    for index, job in enumerate(jobs):
        told = say if _wanted(job, options) else _silence
        told(f"[{index + 1}/{len(jobs)}] {experiment.name} {job.variant.name}, seed {job.seed}")
        result = _run(experiment, job, options, train)
        if result is None:
            return None
        found[index] = result
        if result.status != DONE:
            told(f"  {result.status}: {result.reason}")
        write_results(path, _results(experiment, options, variants, found.values(), earlier))
    results = _results(experiment, options, variants, found.values(), earlier)
    if experiment.compare is not None and not options.only and not results.comparison:
        say(f"{experiment.name}: comparing")
        _keep_comparison(experiment, options, experiment.compare(options.budget))
        results = _results(experiment, options, variants, found.values(), earlier)
        write_results(path, results)
    if experiment.on_machine is not None and not options.only:
        setups = {v.name: v.setup for v in variants if v.setup is not None}
        folder = options.runs / f"{experiment.name}-{options.budget}"
        experiment.on_machine(options.budget, folder, setups, say)
    return results


def _earlier(experiment: Experiment, path: Path, variants: tuple[Variant, ...]) -> Results | None:
    """Results of other hours and of models that are not named now; they stay."""
    if experiment.hours is None or not path.exists():
        return None
    found, now = read_results(path), {variant.name for variant in variants}
    jobs = tuple(j for j in found.jobs if j.variant not in now and j.status == DONE)
    names = {job.variant for job in jobs}
    setups = {name: setup for name, setup in found.setups.items() if name in names}
    return replace(found, jobs=jobs, setups=setups)


def _check_only(experiment: Experiment, options: Options, variants: tuple[Variant, ...]) -> None:
    names = [variant.name for variant in variants]
    unknown = [name for name in options.only if name not in names]
    if unknown:
        msg = f"{experiment.name} has no variant {', '.join(unknown)}; it has {', '.join(names)}"
        raise UsageError(msg)


def _wanted(job: Job, options: Options) -> bool:
    return not options.only or job.variant.name in options.only


def _silence(text: str) -> None:
    """Say nothing of what is only collected."""


def _not_run(job: Job, options: Options, reason: str = "") -> JobResult:
    missing = "" if job.variant.shipped or job.variant.setup else f"needs {job.variant.needs}"
    missing = missing or options.images.check(job.variant.setup)
    if not missing and _lacks_teacher(job, options):
        missing = "needs a teacher (--teacher MODEL)"
    return JobResult(job.variant.name, job.seed, NOT_RUN, missing or reason)


def _lacks_teacher(job: Job, options: Options) -> bool:
    setup = job.variant.setup
    learns = setup is not None and setup.recipe.distill > 0
    return learns and options.teacher is None and not (job.folder / MODEL).exists()


def _run(experiment: Experiment, job: Job, options: Options, train: Train) -> JobResult | None:
    """Return what became of a job; None if it was stopped."""
    waiting = _not_run(job, options)
    if waiting.reason:
        return waiting
    try:
        return _do(experiment, job, options, train)
    except FAILURES as error:
        # Results travel; where the jobs lay on this machine does not.
        said = str(error).replace(str(job.folder), job.folder.name)
        reason = " ".join(said.split()) or "no reason given"
        text = reason if isinstance(error, BnasError) else f"{type(error).__name__}: {reason}"
        return JobResult(job.variant.name, job.seed, FAILED, text[:500])


def _do(experiment: Experiment, job: Job, options: Options, train: Train) -> JobResult | None:
    wanted = _wanted(job, options)
    if job.variant.shipped:
        if not wanted:
            return _not_run(job, options, "left out")
        data = options.images.whole(32)
        return evaluate_shipped(job.folder, options.shipped, data, variant=job.variant.name)
    if job.variant.given is not None:
        return evaluate_given(job, job.variant.given, options.images, experiment.measure)
    model = finished(job)
    if model is None and not wanted:
        return _not_run(job, options, "left out")
    if model is None:
        if not train(job, options.images):
            return None
        model = finished(job)
    if model is None:
        msg = f"{job.folder}: training ended without a finished {MODEL}"
        raise UsageError(msg)
    further: dict[str, float] = {}
    if experiment.measure is not None:
        data = options.images.load(job.setup)
        further = measured(job.folder, job.folder / MODEL, experiment.measure, on=data)
    return job_result(job, model, further)


def _comparison_path(experiment: Experiment, options: Options) -> Path:
    return options.runs / f"{experiment.name}-{options.budget}" / COMPARISON


def _keep_comparison(
    experiment: Experiment, options: Options, found: dict[str, dict[str, float]]
) -> None:
    path = _comparison_path(experiment, options)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, json.dumps(found, indent=1) + "\n")


def _comparison(experiment: Experiment, options: Options) -> dict[str, dict[str, float]]:
    """What was measured of all variants together, or nothing yet."""
    path = _comparison_path(experiment, options)
    found: dict[str, dict[str, float]] = (
        json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    )
    return found


def _results(
    experiment: Experiment,
    options: Options,
    variants: tuple[Variant, ...],
    jobs: Iterable[JobResult],
    earlier: Results | None = None,
) -> Results:
    setups = {v.name: _plain(v.setup) for v in variants if v.setup is not None}
    return Results(
        experiment=experiment.name,
        budget=options.budget,
        date=datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        machine=machine_facts(),
        versions=versions(),
        setups={**(earlier.setups if earlier else {}), **setups},
        jobs=(*(earlier.jobs if earlier else ()), *jobs),
        comparison=_comparison(experiment, options),
    )


def _plain(setup: Setup) -> dict[str, Any]:
    facts, recipe = setup.network.facts(), setup.recipe.to_dict()
    network = {**facts.pop("network"), **facts}  # a genotype as text in place of lists
    return {**asdict(setup), "network": network, "recipe": recipe}
