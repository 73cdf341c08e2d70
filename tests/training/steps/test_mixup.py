"""Tests of MixUp: what is mixed, with which share, and that a run resumes and repeats."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from bnas_deploy.errors import UsageError
from bnas_deploy.training.data.augment import normalise
from bnas_deploy.training.machine.parallel import Group
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.recipes.schedule import mixed_share
from bnas_deploy.training.run.requirements import check_recipe


def test_shares_follow_the_step_and_keep_at_least_a_half():
    recipe = Recipe(mixup=0.4)
    shares = [mixed_share(recipe, 5, epoch, step) for epoch in range(20) for step in range(20)]
    assert len(set(shares)) == 400
    assert min(shares) >= 0.5
    # The mean of max(x, 1 - x) for x of Beta(0.4, 0.4), by integration.
    assert np.mean(shares) == pytest.approx(0.840, abs=0.03)
    assert mixed_share(recipe, 5, 0, 7) == shares[7]
    assert mixed_share(Recipe(), 5, 0, 7) == 1.0


def test_loss_and_gradients_of_a_mixed_step(make_trainer):
    trainer = make_trainer(binary=False, drop_path=0.0, epochs=1)
    trainer.network.train()
    batch = trainer.batches.trial()
    ((images, labels, _),) = batch
    sums = trainer.computation.gradients(batch, label_smoothing=0.1, stop=False, mix=0.75)
    used = [p for p in trainer.network.parameters() if p.grad is not None]
    got = [p.grad.clone() for p in used]
    trainer.network.zero_grad()
    own = trainer.preprocessing
    inputs = normalise(images, own.mean, own.std)
    logits = trainer.network(0.75 * inputs + 0.25 * inputs.flip(0))
    one, other = (
        functional.cross_entropy(logits, y, label_smoothing=0.1) for y in (labels, labels.flip(0))
    )
    loss = 0.75 * one + 0.25 * other
    loss.backward()
    assert sums.loss == pytest.approx(loss.item(), rel=1e-6)
    for ours, parameter in zip(got, used, strict=True):
        torch.testing.assert_close(ours, parameter.grad, rtol=1e-4, atol=1e-6)


def test_a_run_mixes_and_another_like_it_is_the_same(make_trainer):
    class Silent:
        def step(self, trainer, loss, accuracy):
            pass

        def epoch(self, trainer, row):
            pass

    losses = []
    for mixup in (0.0, 0.4, 0.4):
        trainer = make_trainer(mixup=mixup)
        trainer.run(Silent())
        losses.append([row["train_loss"] for row in trainer.progress.history])
    assert losses[0] != losses[1] == losses[2]


def test_several_processes_do_not_mix(make_trainer, monkeypatch):
    trainer = make_trainer(mixup=0.4)
    monkeypatch.setattr(trainer, "group", Group(world=2))
    with pytest.raises(UsageError, match="mixup mixes images of one process"):
        check_recipe(trainer)
