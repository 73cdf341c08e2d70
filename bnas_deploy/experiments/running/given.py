"""Variants of experiments whose trainings the clock ends: at given hours, and trained elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.definition import Measure, Setup, Variant
from bnas_deploy.experiments.measuring.measures import measured
from bnas_deploy.experiments.results import JobResult
from bnas_deploy.experiments.running.images import Images
from bnas_deploy.experiments.running.jobs import Job, job_result
from bnas_deploy.training.recipes.recipe import Recipe

__all__ = ["evaluate_given", "timed_variants"]


def timed_variants(
    variants: tuple[Variant, ...], hours: float | None, models: tuple[Path, ...]
) -> tuple[Variant, ...]:
    """Return variants whose trainings end after some hours, and those of models that are given.

    Args:
        variants: Of the experiment.
        hours: Of each training; None: they count epochs.
        models: Files of models that were trained elsewhere.

    Raises:
        UsageError: Two models have one name.
        CheckpointError: A model cannot be read.
    """
    found = [v if hours is None else _at_hours(v, hours) for v in variants]
    found += [_given(path) for path in models]
    names = [variant.name for variant in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"--model: several are called {', '.join(twice)}; a model has its folder's name"
        raise UsageError(msg)
    return tuple(found)


def _at_hours(variant: Variant, hours: float) -> Variant:
    """The variant with its hours in its name, so that it has a folder and a row of its own."""
    assert variant.setup is not None
    setup = replace(variant.setup, recipe=replace(variant.setup.recipe, hours=hours))
    label = f"{variant.label}, {hours:g} h"
    return replace(variant, name=f"{variant.name}-{hours:g}h", label=label, setup=setup)


def _given(path: Path) -> Variant:
    from bnas_deploy.training.model.trained_model import load_model  # noqa: PLC0415 - it needs torch

    model = load_model(path)
    recipe = Recipe.from_dict(dict(model.training["recipe"]))
    setup = Setup(model.config, recipe, binary=model.network.binary)
    name = path.parent.name if path.name == "model.pt" else path.stem
    return Variant(name, name, setup, given=path)


def evaluate_given(job: Job, path: Path, images: Images, measure: Measure | None) -> JobResult:
    """Return the results of a model that was trained elsewhere.

    Args:
        job: Its folder keeps what is measured.
        path: The model file.
        images: Of the model's classes.
        measure: Measures it further.

    Raises:
        UsageError: The classes of the images are not the model's.
        CheckpointError: The file cannot be read.
    """
    from bnas_deploy.training.model.trained_model import load_model  # noqa: PLC0415 - as above

    model, data = load_model(path), images.load(job.setup)
    if model.labels != data.classes:
        msg = f"{path} knows {', '.join(model.labels)}; the images are {', '.join(data.classes)}"
        raise UsageError(msg)
    further: Mapping[str, float] = {}
    if measure is not None:
        further = measured(job.folder, path, measure, on=data)
    return job_result(replace(job, seed=int(model.training["seed"])), model, further)
