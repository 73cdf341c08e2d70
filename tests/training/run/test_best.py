"""Tests of the epoch that ships: the best by the validation images, never by the test images."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from bnas_deploy.checkpoints.torch_file import load_plain
from bnas_deploy.errors import CheckpointError, UsageError
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.model.trained_model import load_model
from bnas_deploy.training.record.run_record import RunRecord, RunRecordOptions
from bnas_deploy.training.run.checkpoint import load_checkpoint, save_checkpoint

ACCURACIES = [0.25, 0.75, 0.5, 0.75, 0.25]


class Weights:
    """Keeps the weights of every epoch."""

    def __init__(self):
        self.states = []

    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        state = trainer.network.state_dict()
        self.states.append({name: value.clone() for name, value in state.items()})


@pytest.fixture
def validated(make_trainer, data):
    """A trainer whose accuracies on the validation images are given."""

    def make(accuracies=ACCURACIES, **recipe):
        part = replace(data, validation=data.test.take(6))
        settings = {"epochs": len(accuracies), "drop_path": 0.0, **recipe}
        return given(make_trainer(data=part, **settings), part, accuracies)

    return make


def given(trainer, data, accuracies):
    measure = trainer.evaluate

    def evaluate(images, *, exact=False):
        if images is data.validation:
            return accuracies[trainer.progress.epoch - 1]
        return measure(images, exact=exact)

    trainer.evaluate = evaluate
    return trainer


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def test_the_first_of_the_best_epochs_ships(validated, tmp_path):
    trainer, weights = validated(), Weights()
    assert trainer.run(weights)
    assert (trainer.progress.best_epoch, trainer.progress.best_accuracy) == (2, 0.75)
    assert same(trainer.network.state_dict(), weights.states[4])
    assert not same(weights.states[1], weights.states[4])
    record = RunRecord(trainer, tmp_path, RunRecordOptions())
    record.save_model_file()
    for name in ("model.pt", "best.pt"):
        assert same(load_model(tmp_path / name).network.state_dict(), weights.states[1])
    assert same(trainer.network.state_dict(), weights.states[4])


def test_test_images_are_looked_at_once_and_with_what_ships(validated, data):
    trainer = validated()
    trainer.run(Weights())
    rows = trainer.progress.history
    assert [row["val_accuracy"] for row in rows] == ACCURACIES
    assert ["test_accuracy" in row for row in rows] == [False] * 4 + [True]
    trainer.network.load_state_dict(trainer.best)
    assert rows[-1]["test_accuracy"] == trainer.evaluate(data.test, exact=True)


def test_the_account_says_which_epoch(validated, tmp_path):
    trainer = validated()
    trainer.run(Weights())
    account = RunRecord(trainer, tmp_path, RunRecordOptions()).account()
    assert account["best_epoch"] == account["test_accuracy_epoch"] == 2
    assert account["validation_accuracy"] == 0.75
    assert account["images"] == {"train": 45, "validation": 6, "test": 15}


def test_without_validation_images_the_last_epoch_ships(make_trainer, tmp_path):
    trainer, weights = make_trainer(), Weights()
    trainer.run(weights)
    record = RunRecord(trainer, tmp_path, RunRecordOptions())
    record.save_model_file()
    assert same(load_model(tmp_path / "model.pt").network.state_dict(), weights.states[-1])
    assert not (tmp_path / "best.pt").exists()
    assert record.account()["best_epoch"] is None


def test_patience_ends_a_run_and_measures_what_ships(validated):
    trainer = validated(patience=2)
    assert trainer.run(Weights())
    assert [row["epoch"] for row in trainer.progress.history] == [1, 2, 3, 4]
    assert "test_accuracy" in trainer.progress.history[-1]


def test_a_run_without_patience_left_goes_on_with_more(validated, tmp_path):
    trainer = validated(patience=2)
    trainer.run(Weights())
    save_checkpoint(tmp_path / "c.pt", trainer)
    for changes, over in (({}, True), ({"patience": 5}, False), ({"patience": 0}, False)):
        resumed = load_checkpoint(
            tmp_path / "c.pt", lambda _: trainer.data, Runtime(), changes=changes
        )
        assert resumed.over is over


def test_patience_needs_something_to_judge_by(make_trainer):
    with pytest.raises(UsageError, match="patience needs validation images"):
        make_trainer(patience=3)


def test_the_best_epoch_is_resumed(validated, data, tmp_path):
    class Stop(Weights):
        def epoch(self, trainer, row):
            super().epoch(trainer, row)
            trainer.stop = trainer.progress.epoch == 3

    trainer, weights = validated(), Stop()
    assert not trainer.run(weights)
    save_checkpoint(tmp_path / "c.pt", trainer)
    resumed = load_checkpoint(tmp_path / "c.pt", lambda _: trainer.data, Runtime())
    assert resumed.progress.best_epoch == 2
    assert same(resumed.best, weights.states[1])


def test_best_weights_of_another_network(validated, tmp_path):
    trainer = validated([0.5])
    trainer.run(Weights())
    save_checkpoint(tmp_path / "c.pt", trainer)
    value = load_plain(tmp_path / "c.pt")
    for wrong in ({**value["best"], "more": torch.zeros(1)}, [1], {"a": 1}):
        torch.save({**value, "best": wrong}, tmp_path / "c.pt")
        with pytest.raises(CheckpointError, match="best must have the tensors of the network"):
            load_checkpoint(tmp_path / "c.pt", lambda _: trainer.data, Runtime())
