"""Tests that what first stopped being finite is found and named, and the run stopped in time."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bnas_deploy.errors import TrainingError
from bnas_deploy.training.run.checkpoint import save_checkpoint
from bnas_deploy.training.steps.nonfinite import all_finite, find, surely_finite

NAN, INF = float("nan"), float("inf")


class Quiet:
    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        pass


class SpoilGradient(nn.Module):
    def forward(self, x):
        y = x * 1.0
        y.register_hook(lambda grad: grad * NAN)
        return y * 1.0


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_all_finite(value):
    tensors = [torch.full((3, 2), 3e38), torch.zeros(1), torch.tensor([-3e38])]
    assert all_finite(tensors)
    assert not surely_finite(tensors)
    assert surely_finite([torch.full((3, 2), 1e18)])
    tensors[0][1, 1] = value
    assert not all_finite(tensors)
    assert not surely_finite(tensors)
    assert all_finite([])
    assert surely_finite([])


def test_the_innermost_first_output_is_named():
    network = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    network[1][0].bias.data[0] = NAN
    finding = find(network, lambda: network(torch.ones(1, 2)).sum())
    assert finding.what == "the output of 1.0"
    assert not finding.backward
    assert not network[0]._forward_hooks


def test_a_gradient_is_named_in_the_order_of_the_backward_pass():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), SpoilGradient(), nn.Linear(2, 2))
    finding = find(network, lambda: network(torch.ones(1, 2)).sum())
    assert finding.what == "the gradient of the output of 1"
    assert finding.backward


def test_nothing_is_found_where_all_is_well():
    network = nn.Linear(2, 2)
    assert find(network, lambda: network(torch.ones(1, 2)).sum()) is None
    assert find(network, lambda: network(torch.ones(1, 2)).sum() * NAN).what == "the loss itself"


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize(
    ("parameter", "layer"),
    [
        ("classifier.bias", "classifier"),
        ("cells.1.preprocess_res.1.bias", "cells.1.preprocess_res"),
        ("cells.0._ops.1.op.0.weight", "cells.0._ops.1"),
        ("stem.op.0.weight", "stem"),
    ],
)
def test_a_poisoned_layer_is_named(make_trainer, parameter, layer, accumulate):
    trainer = make_trainer(accumulate=accumulate)
    trainer.network.get_parameter(parameter).data[0] = NAN
    with pytest.raises(
        TrainingError,
        match=rf"nan( or infinite)? in epoch 1, step 1 .* is the output of {layer}(\.|;)",
    ):
        trainer.run(Quiet())


def test_a_gradient_stops_the_run_before_it_spoils_the_weights(make_trainer, tmp_path):
    trainer = make_trainer()
    trainer.check_arithmetic()
    calls = []

    def spoil(grad):
        calls.append(grad)
        return grad * INF if len(calls) >= 3 else grad

    trainer.network.classifier.weight.register_hook(spoil)
    with pytest.raises(
        TrainingError,
        match=r"a gradient became nan or infinite in epoch 1, step 3 .* gradient of classifier.wei",
    ):
        trainer.run(Quiet())
    assert trainer.progress.step == 2
    save_checkpoint(tmp_path / "c.pt", trainer)


def test_repeating_the_step_draws_the_same_numbers(make_trainer, monkeypatch):
    trainer = make_trainer(epochs=2, drop_path=0.5)
    trainer.network.drop_path = 0.5
    trainer.network.train()
    (batch,) = [next(iter(trainer.batches(0)))]
    first = trainer.computation.gradients(batch, label_smoothing=0.0, stop=False)
    seen = []

    def note(network, loss):
        seen.append(loss().item())

    monkeypatch.setattr("bnas_deploy.training.steps.computation.find", note)
    weights = {n: p.clone() for n, p in trainer.network.named_parameters()}
    error = trainer.computation.not_finite(first, "step 1")
    assert "repeating the step gave finite numbers" in str(error)
    assert seen == [pytest.approx(first.loss, rel=1e-6)]
    assert all(torch.equal(p, weights[n]) for n, p in trainer.network.named_parameters())


def test_no_checkpoint_is_written_over_a_good_one(make_trainer, tmp_path):
    trainer = make_trainer()
    save_checkpoint(tmp_path / "c.pt", trainer)
    good = (tmp_path / "c.pt").read_bytes()
    trainer.network.cells[0].inputs[0].bn.running_var[0] = INF
    with pytest.raises(TrainingError, match=r"cells.0.preprocess0.bn.running_var became nan"):
        save_checkpoint(tmp_path / "c.pt", trainer)
    assert (tmp_path / "c.pt").read_bytes() == good
