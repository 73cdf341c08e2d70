"""Configurations of networks of any kind: by name, and from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from bnas_deploy.backbones.config import BackboneConfig
from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.config import CONFIGS, SMALL_CONFIGS, NetworkConfig
from bnas_deploy.plain.config import PlainConfig
from bnas_deploy.plain.registry import NETWORKS as PLAIN
from bnas_deploy.shown import found_name, shown, unknown_name

__all__ = ["ALL_CONFIGS", "KINDS", "AnyConfig", "config_from_dict", "find_config"]

AnyConfig: TypeAlias = NetworkConfig | BackboneConfig | PlainConfig
"""What all have: name, dataset, classes, image_size, `to_dict` and `facts`."""

KINDS: dict[str, Callable[[object], AnyConfig]] = {
    NetworkConfig.KIND: NetworkConfig.from_dict,
    BackboneConfig.KIND: BackboneConfig.from_dict,
    PlainConfig.KIND: PlainConfig.from_dict,
}
"""How each kind is read; a file that does not state its kind has the first, as older ones do."""

ALL_CONFIGS: Mapping[str, AnyConfig] = {**CONFIGS, **SMALL_CONFIGS, **NETWORKS, **PLAIN}
"""Every network that has a name."""


def config_from_dict(value: object) -> AnyConfig:
    """Read what `to_dict` of any kind of configuration wrote.

    Raises:
        ConfigError: The kind or a key is unknown, a key is missing, or a value is wrong.
        GenotypeError: A genotype is wrong.
    """
    kind = value.get("kind", NetworkConfig.KIND) if isinstance(value, Mapping) else None
    if kind is None:
        return NetworkConfig.from_dict(value)  # which says what is wrong with it
    if not isinstance(kind, str) or kind not in KINDS:
        msg = f"a network's kind is one of {', '.join(KINDS)}; got {shown(kind)}"
        raise ConfigError(msg)
    return KINDS[kind](value)


def find_config(name: str) -> AnyConfig:
    """Return the configuration of a network by its name, whatever the case.

    Raises:
        ConfigError: There is none of that name.
    """
    found = found_name(name, ALL_CONFIGS)
    if found is None:
        raise ConfigError(unknown_name("network", name, ALL_CONFIGS))
    return ALL_CONFIGS[found]
