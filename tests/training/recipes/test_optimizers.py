"""Tests of the recipe's optimizers: their rates, their states, and training with each."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.errors import CheckpointError
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.recipes.optimizers import make_optimizer, set_rate
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.run.checkpoint import load_checkpoint, save_checkpoint


class Quiet:
    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        pass


def test_adam_has_the_recipes_rate_and_momentum():
    recipe = Recipe(optimizer="adam", lr=0.005, momentum=0.8, weight_decay=1e-4)
    optimizer = make_optimizer(recipe, [torch.nn.Parameter(torch.ones(2))])
    assert isinstance(optimizer, torch.optim.Adam)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (0.005, (0.8, 0.999), 1e-4)
    set_rate(optimizer, 0.001, 0.95)
    assert (group["lr"], group["betas"]) == (0.001, (0.95, 0.999))
    assert "momentum" not in group


def test_sgd_has_the_rate_and_momentum_of_a_step():
    optimizer = make_optimizer(Recipe(), [torch.nn.Parameter(torch.ones(2))])
    set_rate(optimizer, 0.3, 0.7)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.3, 0.7, 3e-6)


def test_adam_learns_and_resumes_exactly(make_trainer, data, tmp_path):
    recipe = {"optimizer": "adam", "lr": 0.02, "schedule": "cosine", "epochs": 4, "drop_path": 0.0}
    whole = make_trainer(**recipe)
    assert whole.run(Quiet())
    losses = [row["train_loss"] for row in whole.progress.history]
    assert losses[-1] < losses[0]

    begun = make_trainer(**recipe)

    class StopAfterTwo(Quiet):
        def epoch(self, trainer, row):
            trainer.stop = row["epoch"] == 2

    assert not begun.run(StopAfterTwo())
    save_checkpoint(tmp_path / "c.pt", begun)
    resumed = load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())
    assert resumed.run(Quiet())
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value), name


def test_a_state_of_other_shapes_is_refused(make_trainer, data, tmp_path):
    trainer = make_trainer(optimizer="adam", lr=0.01)
    trainer.stop = True
    trainer.run(Quiet())
    save_checkpoint(tmp_path / "c.pt", trainer)
    value = torch.load(tmp_path / "c.pt", weights_only=True)
    value["optimizer"]["state"][0]["exp_avg_sq"] = torch.ones(7)
    torch.save(value, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match=r"expected exp_avg_sq of shape \(3,\); got \(7,\)"):
        load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())
