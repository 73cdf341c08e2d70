"""Tests of what is said of files that hold more than tensors and plain values."""

from __future__ import annotations

import argparse
import io
import pathlib
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from bnas_deploy.checkpoints.state import read_state
from bnas_deploy.checkpoints.torch_file import load_bytes
from bnas_deploy.errors import CheckpointError

NETWORK = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
WEIGHTS = NETWORK.state_dict()
OTHER = {name: value + 1 for name, value in WEIGHTS.items()}
ARGS = argparse.Namespace(lr=1, path=pathlib.PurePosixPath("/"))


def written(value, *, new=True):
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=new)
    return buffer.getvalue()


CASES = {
    "arguments": ({"epoch": 3, "state_dict": WEIGHTS, "args": ARGS}, "'args': argparse.Namespace"),
    "a number": ({"net": WEIGHTS, "best": np.float64(1)}, "'best': a NumPy number"),
    "an array": ({"net": WEIGHTS, "mean": np.ones(3)}, "'mean': a NumPy array"),
    "the optimizer": (
        {"o": torch.optim.SGD(NETWORK.parameters(), 0.1), "m": WEIGHTS},
        "'o': torch.optim.sgd.SGD",
    ),
    "a module": (NETWORK, "torch.nn.modules.container.Sequential"),
    "a module inside": ({"model": NETWORK, "epoch": 1}, "'model': torch.nn.modules.container"),
    "among weights": ({**WEIGHTS, "best": np.float32(1)}, "'best': a NumPy number"),
    "in a state_dict": (OrderedDict(WEIGHTS, best=np.float32(1)), "'best': a NumPy number"),
    "in its entry": ({"net": {**WEIGHTS, "best": np.float32(1)}}, "'net': a NumPy number"),
    "two kinds": ({"net": WEIGHTS, "a": ARGS, "b": np.float64(1)}, "'b': a NumPy number"),
}


@pytest.mark.parametrize("new", [True, False], ids=["zip", "before 2020"])
@pytest.mark.parametrize("name", CASES)
def test_the_two_lines_save_the_weights_again(name, new, tmp_path):
    value, told = CASES[name]
    path = tmp_path / "it's.pth"
    path.write_bytes(written(value, new=new))
    with pytest.raises(CheckpointError, match="holds more than tensors and plain") as raised:
        read_state(path)
    summary, *lines = raised.value.lines
    assert told in summary
    assert len(lines) == 2
    scope: dict[str, object] = {}
    for line in lines:
        exec(line, scope)
    state = read_state(tmp_path / "it's-weights.pt")
    assert list(state.tensors) == list(WEIGHTS)
    assert all(torch.equal(state.tensors[key], WEIGHTS[key]) for key in WEIGHTS)


def test_several_sets_of_weights_are_kept(tmp_path):
    (tmp_path / "w.pt").write_bytes(written({"a": WEIGHTS, "ema": OTHER, "args": ARGS}))
    with pytest.raises(CheckpointError) as raised:
        read_state(tmp_path / "w.pt")
    assert "{key: value[key] for key in ['a', 'ema']}" in raised.value.lines[2]


def test_no_tensors():
    with pytest.raises(CheckpointError, match="and there are no tensors in it") as raised:
        load_bytes("w.pt", written({"args": ARGS}))
    assert len(raised.value.lines) == 1


class Evil:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path("executed"),))


@pytest.mark.parametrize("new", [True, False])
def test_nothing_is_executed(new, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"pathlib\S*\.touch|getattr|pathlib"):
        load_bytes("w.pt", written({"net": WEIGHTS, "x": Evil()}, new=new))
    assert not pathlib.Path("executed").exists()


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.99])
def test_cut_files(new, share):
    whole = written(WEIGHTS, new=new)
    part = whole[: int(len(whole) * share)]
    with pytest.raises(CheckpointError, match=f"cut off after {len(part):,} bytes"):
        load_bytes("w.pt", part)


def test_a_torch_script():
    buffer = io.BytesIO()
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.save(torch.jit.script(NETWORK), buffer)
    with pytest.raises(CheckpointError, match=r"TorchScript archive.*torch\.jit\.load"):
        load_bytes("w.pt", buffer.getvalue())


def test_files_that_are_something_else():
    with pytest.raises(CheckpointError, match="this is a text that begins '404: Not Found'"):
        load_bytes("w.pt", b"404: Not Found")
    with pytest.raises(CheckpointError, match="this file is of no known kind"):
        load_bytes("w.pt", b"\xff\xfe\xfd" * 9)
