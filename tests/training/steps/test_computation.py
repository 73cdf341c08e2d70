"""Tests of gradients summed over passes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from bnas_deploy.errors import UsageError
from bnas_deploy.nn import layers
from bnas_deploy.training.data.augment import normalise


def first_batch(trainer):
    trainer.network.train()
    trainer.network.drop_path = 0.0
    return next(iter(trainer.batches(0)))


def gradients(trainer):
    return {n: p.grad for n, p in trainer.network.named_parameters() if p.grad is not None}


def test_two_passes_sum_to_the_mean_over_their_batches(make_trainer):
    trainer = make_trainer(accumulate=2, binary=False)
    batch = first_batch(trainer)
    assert [len(images) for images, _, _ in batch] == [5, 5]
    sums = trainer.computation.gradients(batch, label_smoothing=0.1, stop=False)
    twin = make_trainer(binary=False)
    mean = 0.0
    for images, labels, _ in batch:
        logits = twin.network(normalise(images, (0.5,) * 3, (0.25,) * 3))
        loss = functional.cross_entropy(logits, labels, label_smoothing=0.1) / 2
        loss.backward()
        mean += loss.item()
    assert sums.loss == pytest.approx(mean)
    assert 0 <= sums.correct <= 10
    for name, gradient in gradients(trainer).items():
        want = twin.network.get_parameter(name).grad
        assert torch.allclose(gradient, want, rtol=1e-4, atol=1e-6), name


def test_weights_are_constrained_once_a_step(make_trainer, monkeypatch):
    constrain, calls = layers.constrain_weight, []

    def count(weight, **options):
        calls.append(weight)
        return constrain(weight, **options)

    monkeypatch.setattr(layers, "constrain_weight", count)
    trainer = make_trainer(accumulate=5)
    batch = first_batch(trainer)
    trainer.computation.gradients(batch, label_smoothing=0.0, stop=False)
    assert len(batch) == 5
    assert len(calls) == len({id(weight) for weight in calls}) > 0


def test_one_pass_and_no_option_are_the_same_step(make_trainer):
    a, b = make_trainer(), make_trainer(accumulate=1)
    for trainer in (a, b):
        trainer.computation.gradients(first_batch(trainer), label_smoothing=0.0, stop=False)
    assert all(torch.equal(g, gradients(b)[n]) for n, g in gradients(a).items())


def test_more_passes_than_images(make_trainer):
    with pytest.raises(UsageError, match="a batch of 10 images cannot be shared by 1 processes"):
        make_trainer(accumulate=11)


def test_an_accumulating_run_learns(make_trainer):
    trainer = make_trainer(epochs=1, accumulate=3, drop_path=0.0)

    class Watch:
        def step(self, trainer, loss, accuracy):
            pass

        def epoch(self, trainer, row):
            self.row = row

    watch = Watch()
    assert trainer.run(watch)
    row = watch.row
    assert row["epoch_seconds"] <= row["seconds"] == row["estimated_seconds"]
    assert row["images_per_second"] * row["epoch_seconds"] >= 40
