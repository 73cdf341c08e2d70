"""Tests of averaged weights: the mean, its statistics, what ships, and resuming."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from bnas_deploy.errors import CheckpointError
from bnas_deploy.training.data.augment import normalise
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.model.trained_model import load_model
from bnas_deploy.training.record.run_record import RunRecord, RunRecordOptions
from bnas_deploy.training.run.average import WeightAverage, averaged
from bnas_deploy.training.run.checkpoint import load_checkpoint, save_checkpoint


class Quiet:
    def __init__(self, stop_after=None):
        self.stop_after = stop_after

    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        trainer.stop = row["epoch"] == self.stop_after


def state(network):
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def test_a_moving_average_with_a_short_memory_at_first():
    parameter = torch.nn.Parameter(torch.zeros(()))
    average, expected = WeightAverage([parameter], 5.0), 0.0
    for step in range(60):
        parameter.data.fill_(float(step % 7))
        average.update()
        keep = min(math.exp(-1 / 5), (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * (step % 7)
        assert float(average.weights[0]) == pytest.approx(expected, rel=1e-5)


def test_statistics_are_those_of_the_training_images(make_trainer):
    trainer = make_trainer(average=1.0, epochs=1)
    trainer.run(Quiet())
    before, images = state(trainer.network), torch.from_numpy(trainer.data.train.images)
    with averaged(trainer):
        for ours, mean in zip(trainer.network.parameters(), trainer.average.weights, strict=True):
            # The first pass has centred and clamped the latent weights.
            if ours.ndim < 4:
                assert torch.equal(ours, mean)
        bn = trainer.network.stem.bn
        order = torch.randperm(45, generator=torch.Generator().manual_seed(0))[:40]
        own = trainer.preprocessing
        batches = normalise(images[order], own.mean, own.std).unflatten(0, (4, 10))
        torch.testing.assert_close(bn.running_mean, batches.mean(dim=(0, 1, 3, 4)))
        variances = torch.stack([b.var(dim=(0, 2, 3)) for b in batches]).mean(0)
        torch.testing.assert_close(bn.running_var, variances)
        assert bn.momentum == 0.1
    assert same(state(trainer.network), before)


def test_averages_do_not_change_the_run(make_trainer):
    plain, other = make_trainer(), make_trainer(average=0.5)
    for trainer in (plain, other):
        torch.manual_seed(3)
        trainer.run(Quiet())
    assert same(state(plain.network), state(other.network))


@pytest.fixture
def judged(make_trainer, data, monkeypatch):
    """A trainer whose validation accuracies are given: of the last weights, of the averaged."""

    def make(accuracies, **recipe):
        few = data.train.chosen(range(6))
        trainer = make_trainer(
            data=replace(data, validation=few), average=1.0, epochs=2, drop_path=0.0, **recipe
        )
        given, right = iter(accuracies), trainer.evaluate

        def evaluate(images, *, exact=False):
            if images is not few:
                return right(images, exact=exact)
            seen.append(state(trainer.network))
            return next(given)

        seen = []
        monkeypatch.setattr(trainer, "evaluate", evaluate)
        trainer.run(Quiet())
        return trainer, seen

    return make


@pytest.mark.parametrize(
    ("accuracies", "best", "averages"),
    [((0.2, 0.4, 0.3, 0.4), 1, True), ((0.2, 0.3, 0.5, 0.4), 2, False), ((0.2,) * 4, 0, False)],
)
def test_the_better_by_the_validation_images_ships(judged, tmp_path, accuracies, best, averages):
    trainer, seen = judged(accuracies)
    assert same(trainer.best, seen[best])
    assert trainer.progress.averaged is averages
    rows = trainer.progress.history
    assert [row["average_val_accuracy"] for row in rows] == list(accuracies[1::2])
    record = RunRecord(trainer, tmp_path, RunRecordOptions())
    record.save_model_file()
    assert same(load_model(tmp_path / "best.pt").network.state_dict(), seen[best])
    account = record.account()
    assert (account["best_epoch"], account["averaged"]) == (1 + best // 2, averages)


def test_without_validation_images_the_averages_ship(make_trainer, tmp_path):
    trainer = make_trainer(average=0.5)
    trainer.run(Quiet())
    with averaged(trainer):
        expected = state(trainer.network)
        accuracy = trainer.evaluate(trainer.data.test, exact=True)
    record = RunRecord(trainer, tmp_path, RunRecordOptions())
    record.save_model_file()
    assert same(load_model(tmp_path / "model.pt").network.state_dict(), expected)
    assert not same(state(trainer.network), expected)
    assert not (tmp_path / "best.pt").exists()
    account = record.account()
    assert (account["averaged"], account["best_epoch"]) == (True, None)
    assert account["test_accuracy"] == accuracy


def test_a_resumed_run_has_the_same_averages(make_trainer, data, tmp_path):
    straight, first = make_trainer(average=0.5), make_trainer(average=0.5)
    torch.manual_seed(7)
    straight.run(Quiet())
    torch.manual_seed(7)
    first.run(Quiet(stop_after=1))
    save_checkpoint(tmp_path / "c.pt", first)
    resumed = load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())
    resumed.run(Quiet())
    assert same(straight.best, resumed.best)
    assert resumed.average.taken == straight.average.taken == 8


@pytest.mark.parametrize(
    "value", [None, {"taken": 1}, {"taken": 1, "weights": [torch.ones(2)]}, {"weights": []}]
)
def test_damaged_averages(make_trainer, data, tmp_path, value):
    save_checkpoint(tmp_path / "c.pt", make_trainer(average=0.5))
    torch.save({**torch.load(tmp_path / "c.pt"), "average": value}, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match="average must have the weights of the network"):
        load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())
