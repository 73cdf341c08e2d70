"""Tests of trainings that the clock ends, and of models that were trained elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.questions.frontier import FRONTIER
from bnas_deploy.experiments.results import read_results
from bnas_deploy.experiments.running.given import timed_variants
from bnas_deploy.experiments.running.jobs import finished, make_jobs
from bnas_deploy.training.model import trained_model


def test_hours_are_in_names_recipes_and_labels():
    variants = timed_variants(FRONTIER.variants("cpu", {}), 0.5, ())
    found = {v.name: v for v in variants}
    assert found["resnet20-0.5h"].setup.recipe.hours == 0.5
    assert found["resnet20-0.5h"].label == "ResNet-20, 0.5 h"
    assert {v.setup.recipe.hours for v in variants} == {0.5}


def test_a_training_by_the_clock_is_finished_when_its_hours_are_over(tmp_path, monkeypatch):
    variants = timed_variants(FRONTIER.variants("cpu", {}), 2.0, ())
    job = make_jobs(FRONTIER, variants, budget="cpu", runs=tmp_path, seeds=(0,))[-1]
    job.folder.mkdir(parents=True)
    (job.folder / "model.pt").touch()
    setup = job.setup

    def model(seconds):
        training = {
            "recipe": setup.recipe.to_dict(), "seed": 0, "epochs": 40, "seconds": seconds,
        }  # fmt: skip
        network = SimpleNamespace(binary=setup.binary)
        return SimpleNamespace(config=setup.network, network=network, training=training)

    for seconds, over in ((7199.0, False), (7200.5, True)):
        monkeypatch.setattr(trained_model, "load_model", lambda path, s=seconds: model(s))
        assert (finished(job) is not None) == over


@pytest.fixture
def elsewhere(ran, tmp_path):
    """A model that another command trained."""
    folder = tmp_path / "my-mini"
    folder.mkdir()
    return Path(shutil.copy(ran[0] / "frontier-smoke" / "mini-0" / "model.pt", folder))


def test_a_model_is_a_further_variant_with_its_own_hours(elsewhere, smoke, ran, tmp_path):
    runs = tmp_path / "runs"
    shutil.copytree(ran[0], runs)
    smoke("frontier", runs, models=(elsewhere,))
    results = read_results(runs / "frontier-smoke.json")
    (given,), (own,) = results.of("my-mini"), results.of("mini")
    assert given.metrics == own.metrics
    assert given.seconds == own.seconds > 0
    assert results.setups["my-mini"]["network"]["channels"] == 4
    smoke("frontier", runs)  # without it: what was found stays
    assert read_results(runs / "frontier-smoke.json").of("my-mini") == [given]


def test_two_models_of_one_name(elsewhere):
    with pytest.raises(UsageError, match="several are called my-mini"):
        timed_variants((), None, (elsewhere, elsewhere))


def test_a_model_of_other_classes_fails(elsewhere, smoke, ran, tmp_path, monkeypatch):
    runs = tmp_path / "runs"
    shutil.copytree(ran[0], runs)
    model = trained_model.load_model(elsewhere)
    other = trained_model.TrainedModel(
        model.network, model.preprocessing, ("a", "b", "c"), model.training
    )
    trained_model.save_model(elsewhere, other)
    smoke("frontier", runs, models=(elsewhere,))
    jobs = read_results(runs / "frontier-smoke.json").jobs
    (job,) = [job for job in jobs if job.variant == "my-mini"]
    assert job.status == "failed"
    assert "knows a, b, c; the images are blue, green, red" in job.reason
