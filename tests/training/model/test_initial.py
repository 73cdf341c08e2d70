"""Tests of beginning with the weights of a file that bnas-train did not write."""

from __future__ import annotations

import pytest
import torch
from support.random_networks import random_network
from support.tiny_trained_model import tiny_trained_model

from bnas_deploy.errors import CheckpointError
from bnas_deploy.training.model.initial import is_origin, start_from


def weights(seed=0):
    return random_network(seed).state_dict()


def begun(tmp_path, value, entry=None):
    torch.save(value, tmp_path / "w.pt")
    network = random_network(0)
    for parameter in network.parameters():
        parameter.data.zero_()
    return network.state_dict(), start_from(tmp_path / "w.pt", network, entry)


def test_a_checkpoint_of_a_wrapped_network_in_half_precision(tmp_path):
    half = {f"module._orig_mod.{n}": v.half() if v.ndim else v for n, v in weights().items()}
    found, told = begun(tmp_path, {"state_dict": half, "epoch": 3, "loss": torch.ones(2)})
    assert all(torch.equal(found[n], v.half().float()) for n, v in weights().items() if v.ndim)
    assert {tensor.dtype for tensor in found.values()} <= {torch.float32, torch.int64}
    assert told == {
        "file": "w.pt",
        "epochs": None,
        "dataset": None,
        "test_accuracy": None,
        "new": [],
        "notes": [
            "its state_dict is the entry state_dict",
            "the prefix module._orig_mod. was removed",
            "not used of it: epoch, loss",
        ],
    }
    assert is_origin(told)


def test_one_of_several_entries(tmp_path):
    other = {name: value + 1 for name, value in weights().items()}
    both = {"model": weights(), "ema": other}
    with pytest.raises(CheckpointError, match=r"model .*, ema .*; choose with --entry"):
        begun(tmp_path, both)
    found, _ = begun(tmp_path, both, "ema")
    assert all(torch.equal(found[name], other[name]) for name in other if other[name].ndim)


def test_layers_of_another_shape_begin_anew(tmp_path):
    value = {**weights(), "classifier.weight": torch.ones(2, 3), "extra.weight": torch.ones(3)}
    found, told = begun(tmp_path, value)
    assert told["new"] == ["classifier"]
    assert told["notes"] == ["not used of it: extra.weight"]
    assert not found["classifier.weight"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["classifier.weight"].fill_(torch.nan), "classifier.weight: holds NaN"),
        (lambda v: v.update({"classifier.bias": 1}), "classifier.bias: expected a tensor; got int"),
        (
            lambda v: v.update({"classifier.bias": v["classifier.bias"].to_sparse()}),
            "classifier.bias: expected a dense tensor",
        ),
    ],
)
def test_weights_that_cannot_be_used(tmp_path, change, message):
    value = weights()
    change(value)
    with pytest.raises(CheckpointError, match=message):
        begun(tmp_path, value)


def test_our_own_files_have_one_set_of_weights(tmp_path):
    path = tmp_path / "model.pt"
    tiny_trained_model(path)
    with pytest.raises(CheckpointError, match="this file has one set of weights"):
        start_from(path, random_network(0), "state_dict")
