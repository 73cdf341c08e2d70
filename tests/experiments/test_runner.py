"""Tests of running experiments end to end: files, what is skipped, resumed, failed, left out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial

import pytest

from bnas_deploy.cli.report.training import Machine, train_job
from bnas_deploy.errors import TrainingError, UsageError
from bnas_deploy.experiments.results import read_results
from bnas_deploy.experiments.running.runner import results_path
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.training.model.trained_model import load_model, save_model
from bnas_deploy.training.run.loop import Trainer


def never(job, images):
    pytest.fail(f"{job.folder} was trained again")


def statuses(results):
    return {job.variant: job.status for job in results.jobs}


def test_jobs_leave_the_files_of_bnas_train(done):
    folder = done / "table8-smoke" / "no-skip-0"
    names = {path.name for path in folder.iterdir()}
    assert names == {"checkpoint.pt", "gradients.csv", "metrics.csv", "model.pt", "report"}
    assert not load_model(folder / "model.pt").config.skips


def test_the_results_of_ablations(done):
    results = read_results(results_path(done, "table8", "smoke"))
    assert statuses(results) == {
        "full": "done", "no-skip": "done", "no-zeroise": "done", "no-diversity": "not run",
    }  # fmt: skip
    (job,) = results.of("full")
    assert [row["epoch"] for row in job.history] == [1, 2]
    assert job.metrics["test_accuracy"] == pytest.approx(job.history[-1]["test_accuracy"], abs=1e-4)
    assert job.data == "generated images"
    assert job.seconds > 0
    assert len(job.gradients["epochs"]) == 2
    assert job.gradients["layer_epoch"] == 2
    assert sum(job.gradients["layers"]) == pytest.approx(job.gradients["epochs"][-1], rel=1e-3)
    assert results.machine["cpu"]
    assert results.versions["bnas-deploy"]
    assert "needs cell no-diversity" in [job.reason for job in results.jobs]


def test_the_results_of_shortcuts(done):
    results = read_results(results_path(done, "shortcuts", "smoke"))
    for kind in ("conv", "pool1x1", "binary", "pool"):
        (job,) = results.of(kind)
        assert job.metrics["packed_accuracy"] == job.metrics["test_accuracy"]
        assert ("packed_8bit_accuracy" in job.metrics) == (kind in ("conv", "pool1x1"))
    assert len(results.comparison) == 6
    assert all(times["ms"] > 0 and times["rounds"] == 3 for times in results.comparison.values())


def test_finished_jobs_are_skipped_and_may_have_been_copied(done, smoke, tmp_path):
    shutil.copytree(done / "shortcuts-smoke", tmp_path / "shortcuts-smoke")
    for path in tmp_path.rglob("checkpoint.pt"):
        path.unlink()
    said = []
    results = smoke("shortcuts", tmp_path, train=never, said=said)
    first = read_results(results_path(done, "shortcuts", "smoke"))
    assert results.jobs == first.jobs
    assert results.comparison == first.comparison
    assert said[0] == "[1/4] shortcuts conv, seed 0"


def test_experiments_share_jobs(done, smoke, tmp_path):
    shutil.copytree(done / "table8-smoke", tmp_path / "table8-smoke")
    results = smoke("table11", tmp_path, train=never)
    assert statuses(results) == {"no-dilated": "not run", "full": "done"}
    with_cell = smoke("table11", tmp_path, cells={"no-dilated": LATEST_CELL})
    assert statuses(with_cell) == {"no-dilated": "done", "full": "done"}
    folder = tmp_path / "table11-smoke" / "no-dilated-0"
    assert load_model(folder / "model.pt").config.genotype == LATEST_CELL


def test_a_stopped_job_goes_on_to_the_same_end(done, smoke, tmp_path, monkeypatch):
    epoch = Trainer._epoch

    def stop_after_one(self, observer):
        finished = epoch(self, observer)
        self.stop = True
        return finished

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_epoch", stop_after_one)
        assert smoke("table8", tmp_path, only=("full",)) is None
    assert not results_path(tmp_path, "table8", "smoke").exists()
    again = smoke("table8", tmp_path, only=("full",))
    (job,) = again.of("full")
    (want,) = read_results(results_path(done, "table8", "smoke")).of("full")
    assert job.metrics == want.metrics
    assert list(job.history) == list(want.history)
    assert len(job.gradients["epochs"]) == 2


def test_a_failing_job_is_recorded_and_the_others_go_on(smoke, tmp_path):
    train = partial(train_job, machine=Machine("cpu", "off", quiet=True))

    def failing(job, images):
        if job.variant.name == "conv3-float":
            msg = f"the loss became\nnan: go on from {job.folder}/checkpoint.pt"
            raise TrainingError(msg)
        return train(job, images)

    wanted = ("conv3-float", "conv3-binary")
    results = smoke("table1", tmp_path, train=failing, only=wanted)
    found = {job.variant: (job.status, job.reason) for job in results.jobs}
    reason = "the loss became nan: go on from conv3-float-0/checkpoint.pt"
    assert found["conv3-float"] == ("failed", reason)
    assert found["conv3-binary"] == ("done", "")
    assert found["sep5-float"] == ("not run", "left out")
    assert read_results(results_path(tmp_path, "table1", "smoke")).jobs == results.jobs
    assert statuses(smoke("table1", tmp_path, only=wanted))["conv3-float"] == "done"


def test_another_run_in_the_folder_is_a_failure_and_stays(done, smoke, tmp_path):
    source = done / "table8-smoke" / "no-skip-0"
    target = tmp_path / "table8-smoke" / "full-0"
    shutil.copytree(source, target)
    before = (target / "model.pt").read_bytes()
    results = smoke("table8", tmp_path, train=never, only=("full",))
    (job,) = [job for job in results.jobs if job.variant == "full"]
    assert job.status == "failed"
    assert "holds another run (skips is False, not True)" in job.reason
    assert (target / "model.pt").read_bytes() == before


def test_a_run_that_began_with_trained_weights_does_not_count(done, smoke, tmp_path):
    target = tmp_path / "table8-smoke" / "full-0"
    shutil.copytree(done / "table8-smoke" / "full-0", target)
    model = load_model(target / "model.pt")
    training = {**model.training, "initial": {"file": "other.pt"}}
    save_model(target / "model.pt", replace(model, training=training))
    results = smoke("table8", tmp_path, train=never, only=("full",))
    (job,) = [job for job in results.jobs if job.variant == "full"]
    assert job.status == "failed"
    assert "began with the weights of {'file': 'other.pt'}" in job.reason


def test_a_variant_that_is_not_there(smoke, tmp_path):
    with pytest.raises(UsageError, match="table8 has no variant half; it has full, no-skip"):
        smoke("table8", tmp_path, only=("half",))


def test_seeds_of_ones_own(smoke, tmp_path):
    results = smoke("table6", tmp_path, seeds=(3, 5))
    assert [(job.seed, job.status) for job in results.jobs] == [(3, "done"), (5, "done")]
    assert load_model(tmp_path / "table6-smoke" / "Mini-5" / "model.pt").training["seed"] == 5
