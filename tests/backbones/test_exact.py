"""Every backbone network, packed, against PyTorch; backends against each other to the bit.

In float64 nothing lies within rounding of a threshold, so there the two agree to rounding. In
float32 a sign may differ where PyTorch sums in another order, which moves a logit; so of a few
images most agree to rounding.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from support.small_backbones import SMALL, small_images, small_network

from bnas_deploy import engine
from bnas_deploy.backbones.config import DOWNSAMPLING
from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.converters import convert_network
from bnas_deploy.converters.from_torch.network import network_graph
from bnas_deploy.converters.graph.evaluate import evaluate
from bnas_deploy.converters.passes.pipeline import run_pipeline
from bnas_deploy.format import read, write

IMAGES = 4


@cache
def packed(name):
    network = small_network(name)
    model, _ = convert_network(network)
    images = small_images(network, IMAGES).numpy()
    return network, model, images, engine.create(model, backend="reference").run(images)


@pytest.mark.parametrize("name", SMALL)
def test_the_graph_and_the_lowered_graph_compute_what_the_network_does(name):
    network = small_network(name, seed=1).double()
    images = small_images(network, 2)
    with torch.inference_mode():
        want = network(images).numpy()
    graph = network_graph(network)
    assert np.abs(evaluate(graph, images.numpy()) - want).max() < 1e-9
    lowered, _ = run_pipeline(graph)
    assert np.abs(evaluate(lowered, images.numpy()) - want).max() < 1e-9


@pytest.mark.parametrize(
    ("scheme", "backbone", "bases"),
    [
        ("cbcn", "densenet", 1),
        ("bonn", "nin", 1),
        ("xnor-plus", "resnext29", 1),
        ("xnor-plus", "bireal18", 1),
        ("abc", "senet18", 2),
        ("binary-duo", "resnext29", 1),
        ("cbcn", "resnext29", 1),
        ("pcnn", "wrn40", 3),
        ("bireal", "densenet", 1),
    ],
)
def test_any_scheme_goes_with_any_backbone(scheme, backbone, bases):
    name = next(name for name, config in NETWORKS.items() if config.backbone == backbone)
    layers = 0 if backbone == "nin" else 1
    for downsampling in ("float",) if backbone in {"nin", "densenet"} else DOWNSAMPLING:
        network = small_network(
            name, seed=2, scheme=scheme, bases=bases, layers=layers, downsampling=downsampling
        ).double()
        images = small_images(network, 1)
        with torch.inference_mode():
            want = network(images).numpy()
        lowered, _ = run_pipeline(network_graph(network))
        assert np.abs(evaluate(lowered, images.numpy()) - want).max() < 1e-9


@pytest.mark.parametrize("name", SMALL)
def test_packed_logits_are_those_of_pytorch(name):
    network, _, images, got = packed(name)
    with torch.inference_mode():
        want = network(torch.from_numpy(images)).numpy()
    assert want.std(axis=0).min() > 0.01  # the answers depend on the image
    spread = np.abs(want - want.mean(axis=1, keepdims=True)).max()
    differences = np.sort(np.abs(got - want).max(axis=1) / spread)
    assert differences[-2] < 1e-5
    assert differences[-1] < 0.5


@pytest.mark.parametrize("backend", ["native", "numba"])
@pytest.mark.parametrize("name", SMALL)
def test_backends_agree_to_the_bit(name, backend):
    _, model, images, want = packed(name)
    assert np.array_equal(engine.create(model, backend=backend).run(images), want)


@pytest.mark.parametrize("name", SMALL)
def test_every_binary_convolution_is_packed(name):
    network, model, _, _ = packed(name)
    floats = [step.weight for step in model.program.steps if step.OP == "conv2d"]
    expected = [n for n in floats if n.startswith("stem") or ".downsample" in n]
    assert floats == expected
    if network.config.downsampling == "binary":
        assert all(name.startswith("stem") for name in floats)


def test_a_file_says_what_it_holds(tmp_path):
    network, model, images, want = packed("bireal18")
    write(model, tmp_path / "m.bnn")
    again = read(tmp_path / "m.bnn")
    assert again.provenance["network"] == network.config.to_dict()
    assert "genotype" not in again.provenance
    assert again.cost["binary_macs"] > 0
    assert np.array_equal(engine.create(again, backend="reference").run(images), want)
