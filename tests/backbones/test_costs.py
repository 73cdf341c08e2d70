"""Published sizes give the FLOPs under which the paper's Tables 6 and 7 list these networks."""

from __future__ import annotations

import pytest

from bnas_deploy.backbones.network import BackboneNetwork
from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.converters import convert_network

FLOPS = {
    "xnor-resnet18": 0.16,
    "xnor-densenet": 0.16,
    "xnor-nin": 0.16,
    "xnor-senet18": 0.16,
    "xnor-resnet34": 0.27,
    "xnor-wrn40": 0.27,
    "xnor-resnext29": 0.90,
    "xnor-resnet18-imagenet": 1.48,
    "bireal20": 0.0133,
    "bireal18-imagenet": 1.63,
    "xnor-plus-resnet18-imagenet": 1.63,
    "xnor-resnet34-imagenet": 1.78,
    "bireal34-imagenet": 1.93,
}
"""In 1e8."""


@pytest.mark.parametrize("name", FLOPS)
def test_flops(name):
    model, _ = convert_network(BackboneNetwork(NETWORKS[name]).eval())
    assert model.cost["flops"] / 1e8 == pytest.approx(FLOPS[name], rel=0.13)
    assert "paper_flops" not in model.cost  # the layer-by-layer accounting is for cells
