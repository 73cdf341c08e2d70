"""Builds a network of any kind from its configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from bnas_deploy.backbones.config import BackboneConfig
from bnas_deploy.backbones.network import BackboneNetwork
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.network import Network
from bnas_deploy.nn.network import build_network as build_cells
from bnas_deploy.plain.config import PlainConfig
from bnas_deploy.plain.network import PlainNetwork

__all__ = ["BUILDERS", "AnyNetwork", "build_network"]

AnyNetwork: TypeAlias = Network | BackboneNetwork | PlainNetwork
"""What all are: modules from images to logits with `config`, `binary` and `drop_path`."""

BUILDERS: dict[type, Callable[..., Any]] = {
    NetworkConfig: build_cells,
    BackboneConfig: BackboneNetwork,
    PlainConfig: PlainNetwork,
}
"""By the kind of configuration; each takes it and `binary`."""


def build_network(config: AnyConfig, *, binary: bool = True) -> AnyNetwork:
    """Build a network with fresh weights, in training mode.

    Args:
        config: What it is made of.
        binary: False builds the float counterpart: nothing binarized.

    Raises:
        ConfigError: There is no binary form of it.
    """
    network: AnyNetwork = BUILDERS[type(config)](config, binary=binary)
    return network
