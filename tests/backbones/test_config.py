"""Configurations of backbone networks: names, round trips, and everything that is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnas_deploy.backbones.config import BACKBONES, SCHEMES, BackboneConfig
from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.errors import ConfigError

SOME = NETWORKS["bireal18"]


@pytest.mark.parametrize("name", NETWORKS)
def test_round_trip(name):
    config = NETWORKS[name]
    assert config.name == name
    assert config.to_dict()["kind"] == "backbone"
    assert BackboneConfig.from_dict(config.to_dict()) == config
    assert config.facts() == {"network": config.to_dict()}


def test_every_backbone_and_scheme_has_a_network():
    assert {config.backbone for config in NETWORKS.values()} == set(BACKBONES)
    assert {config.scheme for config in NETWORKS.values()} == set(SCHEMES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone": "vgg"}, "backbone is one of resnet18"),
        ({"backbone": ["resnet18"]}, "backbone is one of"),
        ({"scheme": "ternary"}, "scheme is one of xnor"),
        ({"downsampling": "conv"}, "downsampling is one of float, binary"),
        ({"dataset": "mnist"}, "kind of stem"),
        ({"name": 3}, "name: expected a str; got 3"),
        ({"channels": 0}, "channels must be an integer of at least 1"),
        ({"channels": 10**6}, "at most 2048"),
        ({"channels": True}, "channels must be an integer"),
        ({"channels": 4.0}, "channels must be an integer"),
        ({"layers": -1}, "layers must be"),
        ({"bases": 2}, r"bases \(scheme bireal\) must be an integer of at least 1 and at most 1"),
        ({"scheme": "abc", "bases": 9}, "at most 8"),
        ({"classes": 0}, "classes must be"),
        ({"backbone": "nin", "layers": 2}, "layers: nin has nothing to .* expected 0; got 2"),
        (
            {"backbone": "nin", "downsampling": "binary"},
            "downsampling: nin has nothing to choose here, expected 'float'; got 'binary'",
        ),
        ({"backbone": "densenet", "downsampling": "binary"}, "downsampling: densenet has nothing"),
        ({"image_size": 12}, "multiple of 8 with the cifar10 stem"),
        ({"image_size": 48, "dataset": "imagenet"}, "multiple of 32 with the imagenet stem"),
    ],
)
def test_impossible_values(change, message):
    with pytest.raises(ConfigError, match=message):
        replace(SOME, **change)
    with pytest.raises(ConfigError, match=message):
        BackboneConfig.from_dict({**SOME.to_dict(), **change})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({**SOME.to_dict(), "genotype": {}}, "unknown keys genotype; known are"),
        ({"kind": "backbone"}, "missing keys backbone, channels, name, scheme; known are"),
        ({**SOME.to_dict(), "kind": "bnas"}, "kind is one of backbone; got 'bnas'"),
        ([], "expected a mapping of its fields; got list"),
        (None, "expected a mapping of its fields; got NoneType"),
    ],
)
def test_other_values(value, message):
    with pytest.raises(ConfigError, match=message):
        BackboneConfig.from_dict(value)
