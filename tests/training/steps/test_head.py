"""Tests of training new layers alone, on top of a trained network."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.errors import UsageError

INITIAL = {"file": "model.pt", "new": ["classifier"]}


class Weights:
    """Keeps the parameters of every epoch."""

    def __init__(self):
        self.states = []

    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        named = trainer.network.named_parameters()
        self.states.append({name: value.detach().clone() for name, value in named})


def moved(before, after):
    """Names of what changed by more than the rounding of binary weights that are centred again."""
    close = {name: torch.allclose(before[name], after[name], atol=1e-6) for name in before}
    return {name for name in close if not close[name]}


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_only_new_layers_move_first(make_trainer, optimizer):
    settings = {"epochs": 3, "head_epochs": 2, "optimizer": optimizer, "weight_decay": 0.1}
    trainer, weights = make_trainer(initial=INITIAL, **settings), Weights()
    trainer.run(weights)
    first, second, third = weights.states
    assert moved(first, second) == {"classifier.weight", "classifier.bias"}
    assert len(moved(second, third)) > 10


def test_there_must_be_new_layers_and_trained_ones(make_trainer):
    with pytest.raises(UsageError, match="on top of a trained network; add --init"):
        make_trainer(head_epochs=1)
    with pytest.raises(UsageError, match=r"all have weights from model\.pt; set it to 0"):
        make_trainer(head_epochs=1, initial={"file": "model.pt", "new": []})
