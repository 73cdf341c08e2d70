"""Tests of the float networks: their published sizes, what they refuse, and that they train."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.errors import ConfigError
from bnas_deploy.networks.build import build_network
from bnas_deploy.plain.config import PlainConfig
from bnas_deploy.plain.registry import NETWORKS

OPTION_B = 2 * (32 + 64) + 16 * 32 + 32 * 64
"""Parameters of the shortcuts that are convolutions here; He et al.'s have none."""

MILLIONS = {
    "resnet8": (0.078, 0),  # the network of MLPerf Tiny has such shortcuts
    "resnet20": (0.27, OPTION_B),
    "resnet32": (0.46, OPTION_B),
    "resnet44": (0.66, OPTION_B),
    "resnet56": (0.85, OPTION_B),
    "mobilenetv2-x0.5": (0.70, 0),
    "mobilenetv2-x1.0": (2.24, 0),
}
"""Parameters as published, and those that are here in addition."""


@pytest.mark.parametrize("name", MILLIONS)
def test_published_sizes(name):
    network = build_network(NETWORKS[name], binary=False)
    millions, more = MILLIONS[name]
    assert sum(p.numel() for p in network.parameters()) - more == pytest.approx(
        1e6 * millions, rel=0.01
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_images_become_logits_of_any_multiple_of_eight_pixels(name):
    network = build_network(NETWORKS[name], binary=False).eval()
    for size in (24, 32):
        assert network(torch.zeros(2, 3, size, size)).shape == (2, 10)


def test_there_is_no_binary_form():
    with pytest.raises(ConfigError, match=r"resnet8 is a float network .*; train it with --float"):
        build_network(NETWORKS["resnet8"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "vgg"}, "family is one of resnet, mobilenetv2, ds-cnn; got 'vgg'"),
        ({"layers": 0}, r"layers \(of resnet\) must be an integer of at least 1"),
        ({"channels": 0}, "channels must be an integer"),
        ({"image_size": 20}, "multiple of 8; got 20"),
        ({"name": 3}, "name: expected a str"),
        ({"kind": "bnas"}, "kind is one of plain"),
        ({"depth": 3}, "unknown keys depth"),
    ],
)
def test_impossible_configurations(change, message):
    with pytest.raises(ConfigError, match=message):
        PlainConfig.from_dict({**NETWORKS["resnet8"].to_dict(), **change})
