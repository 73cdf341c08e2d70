"""Networks of any kind: found by name, read by kind, built."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnas_deploy.backbones.network import BackboneNetwork
from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.errors import ConfigError
from bnas_deploy.networks.build import BUILDERS, build_network
from bnas_deploy.networks.config import ALL_CONFIGS, KINDS, config_from_dict, find_config
from bnas_deploy.nn.config import CONFIGS, SMALL_CONFIGS
from bnas_deploy.nn.network import Network
from bnas_deploy.plain.registry import NETWORKS as PLAIN


@pytest.mark.parametrize("name", ALL_CONFIGS)
def test_every_network_is_read_back_by_its_kind(name):
    config = find_config(name)
    assert config.name == name
    assert config_from_dict(config.to_dict()) == config


def test_names_and_kinds_are_their_own():
    assert len(ALL_CONFIGS) == len(CONFIGS) + len(SMALL_CONFIGS) + len(NETWORKS) + len(PLAIN)
    assert {config.KIND for config in ALL_CONFIGS.values()} == set(KINDS)
    assert {type(config) for config in ALL_CONFIGS.values()} == set(BUILDERS)


def test_cells_are_written_as_before_there_were_kinds():
    assert "kind" not in CONFIGS["Mini"].to_dict()
    assert config_from_dict({**CONFIGS["Mini"].to_dict(), "kind": "bnas"}) == CONFIGS["Mini"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"kind": "forest"}, "kind is one of bnas, backbone, plain; got 'forest'"),
        ({"kind": ["bnas"]}, "kind is one of"),
        ({"kind": None}, "missing keys channels, genotype, layers, name"),
        (3, "expected a mapping of its fields; got int"),
        ({}, "missing keys"),
    ],
)
def test_what_is_no_configuration(value, message):
    with pytest.raises(ConfigError, match=message):
        config_from_dict(value)


def test_an_unknown_name():
    with pytest.raises(ConfigError, match="unknown network 'Z'; choose one of Mini, A"):
        find_config("Z")


@pytest.mark.parametrize("binary", [True, False])
def test_building(binary):
    cells = build_network(replace(CONFIGS["Mini"], layers=3, channels=4), binary=binary)
    assert isinstance(cells, Network)
    backbone = build_network(replace(NETWORKS["bireal18"], channels=4), binary=binary)
    assert isinstance(backbone, BackboneNetwork)
    assert cells.binary == backbone.binary == binary
