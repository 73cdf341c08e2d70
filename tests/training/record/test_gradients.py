"""Tests of the recorded gradients: against sums by hand, over epochs, through a file."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bnas_deploy.errors import CheckpointError
from bnas_deploy.training.record.gradients import GradientRecorder, GradientRow, read_gradients


@pytest.fixture
def network():
    return nn.Sequential(
        nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.Conv2d(2, 1, 1), nn.Flatten()
    )


def give(network, first, second):
    network[0].weight.grad = torch.tensor(first).reshape(2, 1, 1, 1)
    network[2].weight.grad = None if second is None else torch.tensor(second).reshape(1, 2, 1, 1)


def test_means_and_largest_sums_of_an_epoch(network):
    recorder = GradientRecorder(network)
    give(network, [1.0, -2.0], [0.5, 0.0])
    recorder.add()
    give(network, [-5.0, 0.0], None)
    recorder.add()
    recorder.finish(1)
    assert recorder.rows == [
        GradientRow(1, 0, "0", 2, 4.0, 5.0),
        GradientRow(1, 1, "2", 2, 0.25, 0.5),
    ]


def test_an_epoch_begins_at_nothing(network):
    recorder = GradientRecorder(network)
    give(network, [1.0, 1.0], [1.0, 1.0])
    recorder.add()
    recorder.finish(1)
    recorder.finish(2)
    assert [(row.epoch, row.steps, row.mean, row.most) for row in recorder.rows[2:]] == [
        (2, 0, 0.0, 0.0),
        (2, 0, 0.0, 0.0),
    ]


def test_through_a_file(network, tmp_path):
    recorder = GradientRecorder(network)
    give(network, [0.1, -0.2], [3.0, 4.0])
    recorder.add()
    recorder.finish(7)
    recorder.write(tmp_path / "gradients.csv")
    assert read_gradients(tmp_path / "gradients.csv") == recorder.rows


@pytest.mark.parametrize("content", [None, "epoch,layer\n1,0\n", "a\nx,y,z,1,1,1\n"])
def test_a_file_that_is_none(tmp_path, content):
    path = tmp_path / "gradients.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CheckpointError, match="cannot be read as a record of gradients"):
        read_gradients(path)


def test_the_trainer_calls_between_gradients_and_update(make_trainer):
    trainer = make_trainer(epochs=1, drop_path=0.0)
    seen = []

    def look():
        weight = trainer.network.cells[0].preprocess0.conv.weight
        seen.append((float(weight.grad.abs().sum()), trainer.progress.step))

    trainer.after_gradients = look

    class Quiet:
        def step(self, trainer, loss, accuracy):
            pass

        def epoch(self, trainer, row):
            pass

    assert trainer.run(Quiet())
    assert [step for _, step in seen] == list(range(trainer.batches.per_epoch))
    assert all(size > 0 for size, _ in seen)
