"""Tests of model.pt: what is in it, and one error for every way it can be damaged."""

from __future__ import annotations

import zipfile

import pytest
import torch
from support.tiny_trained_model import CONFIG, change, tiny_trained_model

from bnas_deploy.checkpoints.torch_file import write_file
from bnas_deploy.errors import CheckpointError, ConfigError
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.data.preprocessing import (
    PREPROCESSING,
    preprocessing_from_dict,
    preprocessing_to_dict,
)
from bnas_deploy.training.model.trained_model import TrainedModel, load_model, save_model


@pytest.fixture
def path(tmp_path):
    return tiny_trained_model(tmp_path / "model.pt")


def test_round_trip(path):
    model = load_model(path)
    assert model.config == CONFIG
    assert model.labels == ("a", "b", "c")
    assert model.preprocessing == PREPROCESSING["cifar10"]
    assert model.training == {"epochs": 1}
    assert not model.network.training
    torch.manual_seed(0)
    want = build_network(CONFIG).state_dict()
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, want[name])


def test_tensors_of_a_dtype_share_one_entry_of_the_file(path):
    with zipfile.ZipFile(path) as file:
        entries = [name for name in file.namelist() if "/data/" in name]
    dtypes = {tensor.dtype for tensor in build_network(CONFIG).state_dict().values()}
    assert len(entries) == len(dtypes)


def test_the_float_counterpart_is_told_apart(tmp_path):
    network = build_network(CONFIG, binary=False)
    save_model(tmp_path / "m.pt", TrainedModel(network, PREPROCESSING["cifar10"], ("a", "b", "c")))
    assert not load_model(tmp_path / "m.pt").network.binary


def test_it_holds_plain_values_only(path):
    value = torch.load(path, weights_only=True)
    assert value["format"] == "bnas-deploy/model"
    assert value["version"] == 1
    assert value["genotype"] == LATEST_CELL_ZEROISE.to_dict()
    assert set(value["preprocessing"]) == {"size", "channels", "scale", "mean", "std"}


def test_no_path_is_in_it(path):
    assert str(path.parent).encode() not in path.read_bytes()


def test_a_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        load_model(tmp_path / "none.pt")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 broken", bytes(1000)])
def test_a_file_that_is_no_torch_file(tmp_path, content):
    (tmp_path / "m.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match="not a torch file") as info:
        load_model(tmp_path / "m.pt")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("value", [[1, 2], {"format": "other"}, {}, torch.zeros(3)])
def test_another_format(tmp_path, value):
    torch.save(value, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match="expected a file of format bnas-deploy/model"):
        load_model(tmp_path / "m.pt")


def test_a_checkpoint_in_place_of_the_model(tmp_path):
    torch.save({"format": "bnas-deploy/checkpoint"}, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match=r"'bnas-deploy/checkpoint'; model\.pt and"):
        load_model(tmp_path / "m.pt")


def test_another_version(path):
    change(path, lambda value: value.update(version=2))
    with pytest.raises(CheckpointError, match=r"expected version 1 .* got 2"):
        load_model(path)


ENTRIES = ["config", "genotype", "binary", "preprocessing", "labels", "training", "state_dict"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_missing_entry(path, entry):
    change(path, lambda value: value.pop(entry))
    with pytest.raises(CheckpointError, match=f"entry {entry}: expected .* got nothing"):
        load_model(path)


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_of_the_wrong_type(path, entry):
    change(path, lambda value: value.update({entry: 3}))
    with pytest.raises(CheckpointError, match=f"entry {entry}: expected .* got int"):
        load_model(path)


def test_a_wrong_configuration(path):
    change(path, lambda value: value["config"].update(layers=1))
    with pytest.raises(
        CheckpointError, match=r"layers \(with reduction cells at the thirds\) must be"
    ):
        load_model(path)


def test_two_genotypes_that_differ(path):
    change(path, lambda value: value["genotype"]["normal"][0].__setitem__(1, 0))
    with pytest.raises(CheckpointError, match=r"genotype and config\.genotype differ"):
        load_model(path)


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", 3], []])
def test_labels_that_do_not_fit(path, labels):
    change(path, lambda value: value.update(labels=labels))
    with pytest.raises(CheckpointError, match="expected 3 labels"):
        load_model(path)


def test_weights_that_are_missing_are_named(path):
    def drop(value):
        for name in list(value["state_dict"])[:5]:
            del value["state_dict"][name]

    change(path, drop)
    with pytest.raises(CheckpointError, match=r"missing stem\.bn\.weight, .* 2 more; unknown none"):
        load_model(path)


def test_weights_of_another_network_are_named(path):
    change(path, lambda value: value["state_dict"].update(extra=torch.zeros(1)))
    with pytest.raises(CheckpointError, match="missing none; unknown extra"):
        load_model(path)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.zeros(3, 5), r"expected torch.float32 of shape \(3, 64\); got .* \(3, 5\)"),
        (torch.zeros(3, 64, dtype=torch.float64), "got torch.float64"),
        (torch.full((3, 64), float("nan")), "NaN or infinity"),
        (torch.full((3, 64), float("inf")), "NaN or infinity"),
        ("text", "expected a tensor; got str"),
    ],
)
def test_a_weight_that_does_not_fit(path, weight, message):
    change(path, lambda value: value["state_dict"].update({"classifier.weight": weight}))
    with pytest.raises(CheckpointError, match="classifier.weight: .*" + message):
        load_model(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("size", [32]),
        ("size", [0, 32]),
        ("mean", [0.5, 0.5, float("nan")]),
        ("mean", "abc"),
        ("std", [0.2, 0.0, 0.2]),
        ("std", [True, 1, 1]),
        ("channels", "BGR"),
        ("scale", 1),
    ],
)
def test_preprocessing_that_cannot_be(key, value):
    entries = {**preprocessing_to_dict(PREPROCESSING["cifar10"]), key: value}
    with pytest.raises(ConfigError, match="preprocessing"):
        preprocessing_from_dict(entries)
    with pytest.raises(ConfigError, match="expected the keys"):
        preprocessing_from_dict({"size": [32, 32]})


def test_a_failed_save_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*args):
        message = "no space left"
        raise OSError(message)

    monkeypatch.setattr("torch.save", fail)
    with pytest.raises(OSError, match="no space"):
        write_file(tmp_path / "m.pt", {})
    assert not list(tmp_path.iterdir())
