"""PyTorch in float32 against the packed program, whole networks.

from_torch, passes and packing prove each link of the chain without tolerance for
a wrong sign; this one looks at the two ends. A sign may differ where a float is within rounding of
its threshold, so one network in ten may differ by more than rounding, and none by much.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.random_networks import images_for, random_network, scramble

from bnas_deploy.converters import convert_network
from bnas_deploy.converters.from_torch.convert import convert_trained
from bnas_deploy.converters.from_torch.source import network_source
from bnas_deploy.converters.packing.check import CheckOptions, check
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import Preprocessing, read, write
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import Genotype
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.model.trained_model import TrainedModel

NETWORKS = 20


def difference(seed: int) -> float:
    network = random_network(seed)
    images = images_for(network, 3, seed)
    model, _ = convert_network(network)
    with torch.inference_mode():
        want = network(images).numpy()
    return float(np.abs(ReferenceRunner(model).run(images.numpy()) - want).max())


def test_logits_of_random_networks():
    differences = sorted(difference(seed) for seed in range(NETWORKS))
    assert differences[int(0.9 * NETWORKS)] < 1e-5
    assert differences[-1] < 0.5


def test_a_written_file_gives_the_same_logits(tmp_path):
    network = random_network(0)
    model, _ = convert_network(network, labels=[f"l{i}" for i in range(network.config.classes)])
    write(model, tmp_path / "m.bnn")
    again = read(tmp_path / "m.bnn")
    images = images_for(network, 2, 0).numpy()
    assert np.array_equal(ReferenceRunner(again).run(images), ReferenceRunner(model).run(images))
    assert again.labels[0] == "l0"
    assert again.provenance["network"]["name"] == "random 0"
    assert again.provenance["report"]["zeroise"] > 20
    assert again.cost["binary_macs"] > 0


def test_a_network_of_nothing_but_zeroise():
    cell = tuple(("none", j // 2) for j in range(8))
    network = build_network(NetworkConfig("none", 5, 4, Genotype(cell, cell), image_size=8)).eval()
    scramble(network, 0)
    model, _ = convert_network(network)
    images = images_for(network, 2, 0)
    with torch.inference_mode():
        want = network(images).numpy()
    assert np.abs(ReferenceRunner(model).run(images.numpy()) - want).max() < 1e-5


def test_what_belongs_to_a_trained_network_is_kept():
    network = random_network(0)
    size = network.config.image_size
    labels = tuple(f"label {i}" for i in range(network.config.classes))
    pixels = Preprocessing(size, (size, size), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    model, _ = convert_trained(
        TrainedModel(network, pixels, labels, {"epochs": 3, "history": [{"epoch": 1}]}),
        provenance={"source": "x"},
    )
    assert model.labels == labels
    assert (model.preprocessing.resize, model.preprocessing.crop) == (size, (size, size))
    assert model.preprocessing.std == (0.2, 0.3, 0.4)
    assert model.provenance["training"] == {"epochs": 3}
    assert model.provenance["source"] == "x"


def test_self_check_is_stored():
    network = random_network(1).train()
    model, report = convert_network(network, check=CheckOptions(5, "reference"))
    assert network.training
    assert report.self_check is not None
    assert report.self_check.images == report.self_check.same_answer == 5
    assert model.provenance["self_check"]["backend"] == "reference"
    assert "self_check" not in model.provenance["report"]


def test_self_check_finds_a_wrong_program():
    network = random_network(1)
    model, _ = convert_network(network)
    broken = {**model.tensors, "classifier.bias": -5 * model.tensors["classifier.bias"] - 1}
    wrong = type(model)(model.program, broken, model.preprocessing, model.labels)
    with pytest.raises(ConversionError, match="self-check failed on 8 random images"):
        check(network_source(network), wrong, CheckOptions(8, "reference"))


def test_weights_that_are_not_numbers_are_refused():
    network = random_network(1)
    with torch.no_grad():
        network.cells[1].inputs[0].conv.weight[0, 0] = float("nan")
    with pytest.raises(ConversionError, match=r"cell1\.preprocess0: scale holds NaN"):
        convert_network(network)


def test_self_check_needs_an_image():
    network = random_network(1)
    with pytest.raises(ConversionError, match="at least one image"):
        convert_network(network, check=CheckOptions(0, "reference"))
