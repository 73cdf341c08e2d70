"""Tests of finding the weights of a network in checkpoints as people keep them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from bnas_deploy.checkpoints.state import find_state, read_state
from bnas_deploy.errors import CheckpointError


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.Linear(3, 2)))


WEIGHTS = network().state_dict()
NAMES = list(WEIGHTS)


def named(prefix, weights=WEIGHTS):
    return {prefix + name: value for name, value in weights.items()}


def optimizer():
    net = network()
    adam = torch.optim.Adam(net.parameters())
    net(torch.zeros(1, 1, 3, 5))[0, 0].sum().backward()
    adam.step()
    return adam.state_dict()


@pytest.fixture(params=[True, False], ids=["names known", "nothing known"])
def read(request, tmp_path):
    def read(value, entry=None):
        torch.save(value, tmp_path / "w.pt")
        return read_state(tmp_path / "w.pt", entry, names=NAMES if request.param else None)

    return read


def check(state, weights=WEIGHTS):
    assert list(state.tensors) == NAMES
    assert all(torch.equal(state.tensors[name], weights[name]) for name in NAMES)


PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "module._orig_mod.", "_orig_mod.module.")
DEEP = "model.net.module._orig_mod.network."


@pytest.mark.parametrize("prefix", [*PREFIXES, DEEP, "model.model."])
@pytest.mark.parametrize("entry", [None, "state_dict", "a.b"])
def test_prefixes(read, prefix, entry):
    value = named(prefix)
    for key in reversed((entry or "").split(".")):
        value = {key: value, "epoch": 3} if key else value
    state = read(value)
    check(state)
    notes = [f"its state_dict is the entry {entry}"] if entry else []
    assert state.notes == (*notes, f"the prefix {prefix} was removed")


@pytest.mark.parametrize(
    "mixed",
    [
        {("module." if "weight" in name else "") + name: v for name, v in WEIGHTS.items()},
        {name.replace("2.", "2._orig_mod."): value for name, value in WEIGHTS.items()},
        {name.replace("2.", "2.module."): value for name, value in WEIGHTS.items()},
        named("module.", {name.replace("2.", "2._orig_mod."): v for name, v in WEIGHTS.items()}),
    ],
)
def test_wrappers_around_parts(read, mixed):
    state = read(mixed)
    check(state)
    assert state.notes


def test_an_average_of_weights(read):
    averaged = AveragedModel(network())
    averaged.update_parameters(network())
    state = read(averaged.state_dict())
    check(state)
    assert [(x.name, x.reason) for x in state.left_out] == [
        ("n_averaged", "how many models were averaged")
    ]


def test_what_a_profiler_leaves(read):
    state = read(
        {**named("module."), "total_ops": torch.ones(1), "module.0.total_ops": torch.ones(1)}
    )
    check(state)
    assert [x.name for x in state.left_out] == ["total_ops", "module.0.total_ops"]


def test_what_stands_beside_is_told(read):
    state = read({"model": WEIGHTS, "optimizer": optimizer(), "epoch": 9, "args": {}, 7: 1})
    check(state)
    assert {x.name: x.reason for x in state.left_out} == {
        "optimizer": "an optimizer's state, of use in training only",
        "epoch": "a note beside the weights",
        "args": "not a state_dict of the network",
        "7": "a note beside the weights",
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("state_dict", "state_dict_ema"),
        ("model", "ema.module"),
        ("model", "model_ema"),
        ("module", "ema"),
    ],
)
def test_of_several_entries_one_must_be_chosen(read, first, second):
    other = {name: value + 1 for name, value in WEIGHTS.items()}
    inner = other
    for key in reversed(second.split(".")[1:]):
        inner = {key: inner}
    value = {first: named("module."), second.split(".")[0]: inner, "optimizer": optimizer()}
    with pytest.raises(CheckpointError, match="choose with --entry") as raised:
        read(value)
    assert f"{first} (" in str(raised.value)
    assert f"{second} (" in str(raised.value)
    check(read(value, first))
    state = read(value, second)
    check(state, other)
    assert f"its state_dict is the entry {second} (given)" in state.notes
    assert first in [x.name for x in state.left_out]


def test_an_entry_that_is_not_there(read):
    with pytest.raises(CheckpointError, match=r"no entry 'mode' \(did you mean model\?\)"):
        read({"model": WEIGHTS, "epoch": 1}, "mode")


def test_networks_in_one_state_dict_are_told_apart_by_their_prefix():
    both = {**named("student."), **named("teacher.")}
    known = dict(zip(NAMES, NAMES, strict=True)).get
    with pytest.raises(CheckpointError, match=r"student \(9 tensors\), teacher \(9 tensors\)"):
        find_state("w.pt", both, known=known)
    assert list(find_state("w.pt", both, "teacher", known=known).tensors) == NAMES


def test_the_networks_own_names_are_kept():
    """A network may itself have a part called model or module."""
    for own in ("model.", "module.", "net.model."):
        net = nn.Module()
        parts = own.strip(".").split(".")
        inner = network()
        for part in reversed(parts[1:]):
            outer = nn.Module()
            outer.add_module(part, inner)
            inner = outer
        net.add_module(parts[0], inner)
        names = list(net.state_dict())
        assert names == [own + name for name in NAMES]
        state = read_state(saved({"state_dict": named("module." + own)}), names=names)
        assert list(state.tensors) == names


def saved(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)

    class File:
        path, data = Path("w.pt"), buffer.getvalue()

    return File()


def test_other_modules_of_a_lightning_checkpoint():
    value = {"state_dict": {**named("model."), "loss.weight": torch.ones(3)}, "epoch": 1}
    state = read_state(saved(value), names=NAMES)
    check(state)
    assert [(x.name, x.reason) for x in state.left_out] == [
        ("state_dict.loss", "not part of these weights (1 tensor)"),
        ("epoch", "a note beside the weights"),
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], "w.pt: expected weights of this network; the file holds a list"),
        ({}, "w.pt: no weights of this network; it holds nothing"),
        ({"a": 1, "b": {"x": torch.ones(3)}}, "w.pt: no weights of this network; it holds a, b"),
        ({**WEIGHTS, "0.bias": 3}, "w.pt: 0.bias: expected a tensor; got int"),
        ({"a.b": 1, "a": {"b": 2}}, "w.pt: two values at one path (a.b)"),
    ],
)
def test_what_holds_no_weights(value, message):
    with pytest.raises(CheckpointError) as raised:
        read_state(saved(value), names=NAMES)
    assert message in str(raised.value)


def test_a_tensor_that_is_called_as_the_prefix():
    state = read_state(saved({**named("net."), "net": torch.ones(2)}), names=NAMES)
    check(state)
    assert [x.name for x in state.left_out] == ["net"]


def test_a_mapping_inside_itself_ends():
    value = {"model": WEIGHTS}
    value["again"] = value
    with pytest.raises(CheckpointError, match="several entries"):
        find_state("w.pt", value, known=dict(zip(NAMES, NAMES, strict=True)).get)


def test_a_small_file_that_says_one_mapping_many_times():
    value = {str(i): torch.ones(1) for i in range(200)}
    for _ in range(3):
        value = dict.fromkeys(map(str, range(200)), value)
    with pytest.raises(CheckpointError, match="more than 1,000,000 values"):
        find_state("w.pt", value)


def test_a_safetensors_file(tmp_path):
    weights = {name: value.contiguous() for name, value in named("module.").items()}
    save_file(weights, tmp_path / "w.safetensors")
    state = read_state(tmp_path / "w.safetensors", names=NAMES)
    assert {name: value.tolist() for name, value in state.tensors.items()} == {
        name: value.tolist() for name, value in WEIGHTS.items()
    }
    assert state.notes == ("the prefix module. was removed",)
    data = (tmp_path / "w.safetensors").read_bytes()
    for size in (len(data) - 1, 40):
        (tmp_path / "w.safetensors").write_bytes(data[:size])
        with pytest.raises(CheckpointError, match=f"damaged or cut off after {size} bytes"):
            read_state(tmp_path / "w.safetensors")
