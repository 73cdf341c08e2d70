"""Every backbone network trains: finite gradients everywhere, and steps that lower the loss."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support.small_backbones import SMALL, small_config, small_network
from torch.nn import functional

from bnas_deploy.backbones.config import BACKBONES
from bnas_deploy.backbones.network import BODIES, BackboneNetwork
from bnas_deploy.backbones.parts import Unit
from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.backbones.schemes.base import SchemeConv2d
from bnas_deploy.converters.from_torch.network import network_graph
from bnas_deploy.errors import ConversionError


def units(network):
    return [module for module in network.modules() if isinstance(module, Unit)]


def test_every_backbone_can_be_built():
    assert set(BODIES) == set(BACKBONES)


@pytest.mark.parametrize("name", SMALL)
def test_a_few_steps_lower_the_loss(name):
    torch.manual_seed(0)
    network = BackboneNetwork(small_config(name))
    size = network.config.image_size
    labels = torch.arange(12) % 3
    images = torch.randn(12, 3, size, size) + labels[:, None, None, None]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(images), labels)
        loss.backward()
        assert all(torch.isfinite(p.grad).all() for p in network.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[1:]) < losses[0]


@pytest.mark.parametrize("name", SMALL)
def test_float_counterpart(name):
    network = BackboneNetwork(small_config(name), binary=False)
    assert not any(isinstance(unit.conv, SchemeConv2d) for unit in units(network))
    size = network.config.image_size
    assert network(torch.randn(2, 3, size, size)).shape == (2, 3)
    with pytest.raises(ConversionError, match="float one"):
        network_graph(network)


DEPTHS = {
    "resnet18": 16,
    "resnet34": 32,
    "bireal18": 16,
    "bireal20": 18,
    "bireal34": 32,
    "wrn40": 36,
    "nin": 7,
    "senet18": 16,
}


@pytest.mark.parametrize(("backbone", "depth"), DEPTHS.items())
def test_depths(backbone, depth):
    """With stem and classifier, and without shortcuts, what the networks are called by.

    (NiN has nine layers, of which the last one is the classifier.)
    """
    name = next(name for name, c in NETWORKS.items() if c.backbone == backbone)
    network = BackboneNetwork(replace(NETWORKS[name], channels=8))
    assert len(units(network)) == depth


def test_parameters_of_published_networks():
    """ResNet-18, DenseNet-121 and others as they were published for small images."""
    counts = {
        name: sum(p.numel() for p in BackboneNetwork(NETWORKS[name]).parameters()) / 1e6
        for name in ("xnor-resnet18", "xnor-densenet", "xnor-wrn40", "xnor-resnext29")
    }
    assert counts["xnor-resnet18"] == pytest.approx(11.17, abs=0.01)
    assert counts["xnor-densenet"] == pytest.approx(6.96, abs=0.01)
    assert counts["xnor-resnext29"] == pytest.approx(34.4, abs=0.05)
    assert counts["xnor-wrn40"] == pytest.approx(8.95, abs=0.02)


def test_resnet20_has_three_stages_of_three_blocks():
    """0.27 M weights as published (He et al. 2016, Table 6), and its two wider shortcuts."""
    network = BackboneNetwork(NETWORKS["bireal20"])
    assert [len(stage) for stage in network.stages] == [3, 3, 3]
    assert network.classifier.in_features == 64
    weights = sum(p.numel() for p in network.parameters())
    assert weights == 269_722 + 16 * 32 + 32 * 64 + 2 * (32 + 64)


def test_layers_shortens_every_stage():
    name = "xnor-resnet34"
    network = BackboneNetwork(replace(NETWORKS[name], channels=4, layers=2))
    assert len(units(network)) == 16


def test_bireal_has_a_sum_a_convolution_and_no_relu_before_signs():
    network = small_network("bireal18")
    assert sum(type(m).__name__ == "Sum" for m in network.modules()) == len(units(network))
    assert not any(isinstance(m, torch.nn.ReLU) for m in network.modules())


def test_binary_downsampling():
    network = BackboneNetwork(small_config("xnor-resnet18-imagenet"))
    convs = [m for m in network.stages.modules() if isinstance(m, torch.nn.Conv2d)]
    assert all(isinstance(conv, SchemeConv2d) for conv in convs)
