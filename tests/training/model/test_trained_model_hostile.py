"""Hostile or absurd files in place of a model.pt are refused before they cost anything."""

from __future__ import annotations

import io
import zipfile

import pytest
import torch
from support.tiny_trained_model import change, tiny_trained_model

from bnas_deploy.errors import CheckpointError
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.data.preprocessing import PREPROCESSING, preprocessing_to_dict
from bnas_deploy.training.model.trained_model import load_model

PIXELS = preprocessing_to_dict(PREPROCESSING["cifar10"])


@pytest.fixture
def path(tmp_path):
    return tiny_trained_model(tmp_path / "model.pt")


class _Hostile:
    def __reduce__(self):
        return io.StringIO, ("side effect",)


def test_a_hostile_pickle_runs_nothing(path):
    change(path, lambda value: value.update(training={"x": _Hostile()}))
    with pytest.raises(CheckpointError, match="more than tensors and plain values: 'x': _io"):
        load_model(path)


@pytest.mark.parametrize(
    "weight",
    [
        torch.zeros(3, 64).to_sparse(),
        torch.zeros(3, 64, device="meta"),
        torch.zeros(3, 64, dtype=torch.complex64),
        torch.zeros(1).expand(10**9, 10**9),
    ],
    ids=["sparse", "meta", "complex", "expanded"],
)
def test_a_weight_that_is_no_plain_tensor(path, weight):
    change(path, lambda value: value["state_dict"].update({"classifier.weight": weight}))
    with pytest.raises(CheckpointError, match=r"classifier\.weight: expected"):
        load_model(path)


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("layers", 10**9),
        ("channels", 10**9),
        ("classes", 10**9),
        ("image_size", 10**9),
        ("channels", 10**400),
    ],
)
def test_an_absurd_size_is_refused_before_anything_is_built(path, field, number):
    change(path, lambda value: value["config"].update({field: number}))
    with pytest.raises(CheckpointError, match=f"{field} must be an integer .* at most"):
        load_model(path)


def test_weights_of_another_size_are_refused_before_the_network_is_built(path, monkeypatch):
    devices = []

    def build(config, *, binary):
        devices.append(torch.empty(0).device.type)
        return build_network(config, binary=binary)

    monkeypatch.setattr("bnas_deploy.training.model.trained_model.build_network", build)
    change(path, lambda value: value["config"].update(channels=16_384))
    with pytest.raises(CheckpointError, match=r"expected .* of shape"):
        load_model(path)
    assert devices == ["meta"]


def test_tensors_that_share_one_element_do_not_make_a_large_network(path):
    def enlarge(value):
        config = NetworkConfig("tiny", 3, 64, LATEST_CELL_ZEROISE, classes=3, image_size=8)
        with torch.device("meta"):
            shapes = build_network(config).state_dict()
        value["config"] = config.to_dict()
        value["state_dict"] = {
            name: torch.zeros((), dtype=t.dtype).expand(t.shape) for name, t in shapes.items()
        }

    change(path, enlarge)
    with pytest.raises(CheckpointError, match=r"expected \d+ bytes of weights; the whole file has"):
        load_model(path)


def test_a_compressed_file_is_refused_before_it_is_unpacked(path):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content + bytes(10**7))
    with pytest.raises(CheckpointError, match=r"not compressed; its parts claim \d+ bytes"):
        load_model(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {1: 2, "x": 3}},
        {"config": {"name": "n" * 10**6}},
        {"genotype": {"normal": torch.zeros(8, 2), "reduce": torch.zeros(8, 2)}},
        {
            "preprocessing": {
                **preprocessing_to_dict(PREPROCESSING["cifar10"]),
                "mean": [10**400] * 3,
            }
        },
        {"version": torch.zeros(3)},
        {"format": "f" * 10**6},
        {"state_dict": {("a", 1): torch.zeros(1), "b" * 10**6: 3}},
    ],
)
def test_strange_entries_give_one_short_line(path, changes):
    change(path, lambda value: value.update(changes))
    with pytest.raises(CheckpointError) as info:
        load_model(path)
    assert len(str(info.value)) < 2000
    assert "\n" not in str(info.value)


def test_endless_nesting_is_one_error(path):
    depth = 10**5
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            lists = b"\x80\x02" + b"]" * (depth + 1) + b"a" * depth + b"."
            archive.writestr(name, lists if name.endswith("data.pkl") else content)
    with pytest.raises(CheckpointError, match="its format is 'list'"):
        load_model(path)
