"""Tests of the training loop: it learns, it counts, it stops."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.errors import TrainingError, UsageError
from bnas_deploy.training.machine.device import Runtime, choose_runtime


class Watch:
    """Keeps what the loop tells and stops it after some steps."""

    def __init__(self, stop_after=None):
        self.steps, self.rows, self.stop_after = 0, [], stop_after

    def step(self, trainer, loss, accuracy):
        self.steps = trainer.progress.epoch * trainer.batches.per_epoch + trainer.progress.step
        assert loss > 0
        assert 0 <= accuracy <= 1

    def epoch(self, trainer, row):
        self.rows.append(row)
        if self.stop_after == len(self.rows):
            trainer.stop = True


def test_it_learns_colours(make_trainer):
    trainer = make_trainer(epochs=10, drop_path=0.0, flip=False)
    watch = Watch()
    assert trainer.run(watch)
    assert watch.rows[-1]["train_loss"] < watch.rows[0]["train_loss"]
    assert watch.rows[-1]["test_accuracy"] > 0.6


@pytest.mark.parametrize(("batch", "steps"), [(10, 4), (45, 1), (100, 1), (44, 1), (1, 45)])
def test_a_partial_batch_is_left_out(make_trainer, batch, steps):
    assert make_trainer(batch=batch).batches.per_epoch == steps


def test_rows_of_the_metrics(make_trainer):
    trainer, watch = make_trainer(epochs=3, evaluate_every=2), Watch()
    trainer.run(watch)
    assert [row["epoch"] for row in watch.rows] == [1, 2, 3]
    assert ["test_accuracy" in row for row in watch.rows] == [False, True, True]
    assert watch.rows == trainer.progress.history
    assert watch.steps == 3 * trainer.batches.per_epoch
    assert watch.rows[-1]["seconds"] >= watch.rows[0]["seconds"] > 0


def test_stop_leaves_after_a_step(make_trainer):
    trainer = make_trainer()
    trainer.stop = True
    assert not trainer.run(Watch())
    assert (trainer.progress.epoch, trainer.progress.step) == (0, 1)


def test_a_loss_that_is_not_a_number_names_the_step(make_trainer):
    trainer = make_trainer()
    trainer.network.classifier.bias.data.fill_(float("nan"))
    with pytest.raises(
        TrainingError, match=r"nan in epoch 1, step 1 .* smaller learning rate may help"
    ):
        trainer.run(Watch())


def test_evaluation_of_a_known_classifier(make_trainer, data):
    trainer = make_trainer()
    trainer.network.classifier.weight.data.zero_()
    trainer.network.classifier.bias.data = torch.tensor([0.0, 1.0, 0.0])
    assert trainer.evaluate(data.test) == pytest.approx(1 / 3)
    assert not trainer.network.training


def test_the_float_counterpart_trains_too(make_trainer):
    assert make_trainer(binary=False, epochs=1).run(Watch())


def test_bfloat16_with_fused_units(make_trainer):
    pytest.importorskip("numba")
    trainer = make_trainer(epochs=5, drop_path=0.0, runtime=Runtime("cpu", True, True))
    watch = Watch()
    assert trainer.run(watch)
    assert watch.rows[-1]["train_loss"] < watch.rows[0]["train_loss"]


def test_the_choice_of_a_runtime():
    assert choose_runtime(device="cpu", amp="off") == Runtime("cpu", False, False)
    assert choose_runtime(device="cpu", amp="bf16", fused="off") == Runtime("cpu", True, False)
    with pytest.raises(UsageError, match="--fused on"):
        choose_runtime(device="cpu", amp="off", fused="on")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there():
    with pytest.raises(UsageError, match="no GPU"):
        choose_runtime(device="cuda")
    assert choose_runtime().device == "cpu"


def test_a_runtime_says_what_it_is():
    assert "bfloat16, fused units" in str(Runtime("cpu", True, True))
    assert str(Runtime()).endswith("float32")


@pytest.mark.parametrize(("found", "said"), [(True, ""), (False, " (numba is not installed)")])
def test_a_runtime_says_why_its_units_are_plain(monkeypatch, found, said):
    monkeypatch.setattr("bnas_deploy.training.machine.device._has_numba", lambda: found)
    assert str(choose_runtime(device="cpu", amp="bf16", fused="off")).endswith(
        f"bfloat16, plain units{said}"
    )
    if not found:
        assert not choose_runtime(device="cpu", amp="bf16").fused
