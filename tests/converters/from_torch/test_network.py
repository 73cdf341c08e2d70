"""The graph of a network against the network itself, in float64 (see test_pipeline for why)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.random_networks import images_for, random_network
from torch import nn

from bnas_deploy.converters.from_torch.network import module_graph, network_graph
from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.evaluate import evaluate
from bnas_deploy.errors import ConversionError
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.nn.network import build_network


@pytest.mark.parametrize("seed", range(24))
def test_a_networks_graph_computes_what_the_network_does(seed):
    network = random_network(seed, double=True)
    images = images_for(network, 2, seed)
    with torch.inference_mode():
        want = network(images).numpy()
    assert np.abs(evaluate(network_graph(network), images.numpy()) - want).max() < 1e-9


def test_the_network_is_not_changed():
    network = random_network(1).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    network_graph(network)
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_nothing_is_left_out():
    names = [node.name for node in network_graph(random_network(0)).nodes]
    assert "cell0.edge0" in names  # a Zeroise edge
    assert "cell0.preprocess1" in names


def test_a_float_network_is_refused():
    network = build_network(NetworkConfig("f", 3, 4, LATEST_CELL), binary=False)
    with pytest.raises(ConversionError, match="float one"):
        network_graph(network)


def test_other_dtypes_are_refused():
    with pytest.raises(ConversionError, match=r"must be float32; got torch\.bfloat16"):
        network_graph(random_network(0).bfloat16())


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Tanh(), "unit: a module of type Tanh cannot be exported; known: Sequential"),
        (nn.BatchNorm2d(3, track_running_stats=False), "without running statistics"),
        (nn.Conv2d(3, 3, 3, groups=3), "one group"),
        (nn.Conv2d(3, 3, 3, padding="same"), "one group"),
        (nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), "one group"),
        (nn.AvgPool2d(3, 1, 1), "must not count its padding"),
        (nn.MaxPool2d(3, dilation=2), "dilate"),
        (nn.MaxPool2d(3, ceil_mode=True), "round up"),
        (nn.AvgPool2d(2, divisor_override=3), "got AvgPool2d"),
    ],
)
def test_what_has_no_meaning_is_refused_by_name(module, message):
    with pytest.raises(ConversionError, match=message):
        module_graph(GraphBuilder((3, 8, 8)), module, "image", "unit")


def test_a_shortcut_of_other_modules_is_taken_module_by_module():
    shortcut = nn.Sequential(nn.BatchNorm2d(3), nn.AvgPool2d(2), nn.Conv2d(3, 4, 1)).eval().double()
    build = GraphBuilder((3, 8, 8))
    graph = build.graph(module_graph(build, shortcut, "image", "shortcut"))
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    with torch.inference_mode():
        want = shortcut(images).flatten(1).numpy()
    assert np.abs(evaluate(graph, images.numpy()) - want).max() < 1e-12
