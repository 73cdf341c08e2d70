"""The networks that are measured, binary and float, with random weights.

Speed does not depend on the weights; BatchNorm statistics are settled so that signs vary.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from itertools import product
from typing import Any

import torch

from bnas_deploy.converters import convert_network
from bnas_deploy.format import PackedModel
from bnas_deploy.nn.config import SHORTCUTS, NetworkConfig, get_config
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.nn.network import Network, build_network
from bnas_deploy.rivals.random_weights import CALIBRATION_IMAGES, SEED, settle
from bnas_deploy.rivals.random_weights import noise as images

__all__ = [
    "CALIBRATION_IMAGES",
    "Variant",
    "build",
    "config",
    "images",
    "packed",
    "settle",
    "variants",
]

HAS_SHORTCUTS = "shortcut" in {field.name for field in fields(NetworkConfig)}
HAS_EIGHT_BIT = "eight_bit" in inspect.signature(convert_network).parameters


@dataclass(frozen=True)
class Variant:
    """One network as it is packed.

    Attributes:
        network: Configuration, "Mini" or "A" to "H".
        zeroise: False puts the cell `latest_cell` in the place of the published one: the paper's
            network without Zeroise (Table 10). D to H have that cell anyway and stay as they are.
        shortcut: Shortcut of the reduction cells: "conv", "pool1x1", "binary" or "pool".
        eight_bit: Whether shortcuts, stem and classifier are packed in 8 bits.
    """

    network: str
    zeroise: bool = True
    shortcut: str = "conv"
    eight_bit: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """What a report needs to tell it from others."""
        return asdict(self)

    def __str__(self) -> str:
        parts = [self.network] if self.zeroise else [self.network, "no-zeroise"]
        return "-".join([*parts, self.shortcut, "int8" if self.eight_bit else "float"])


def variants(network: str) -> Iterator[Variant]:
    """The variants of a network that are measured, the published one first."""
    zeroise = (True,) if get_config(network).genotype == LATEST_CELL else (True, False)
    eight_bit = (False, True) if HAS_EIGHT_BIT else (False,)
    shortcuts = SHORTCUTS if HAS_SHORTCUTS and network == "A" else ("conv",)
    for chosen in product(zeroise, shortcuts, eight_bit):
        yield Variant(network, *chosen)


def config(variant: Variant) -> NetworkConfig:
    """The configuration of a variant; bits are no part of it."""
    changes: dict[str, Any] = {} if variant.zeroise else {"genotype": LATEST_CELL}
    if variant.shortcut != "conv":
        changes["shortcut"] = variant.shortcut
    return replace(get_config(variant.network), **changes)


@cache
def build(variant: Variant, *, binary: bool = True) -> Network:
    """Build a network in evaluation mode.

    Args:
        variant: Which; `eight_bit` does not matter.
        binary: False gives the float counterpart.
    """
    chosen = config(variant)
    torch.manual_seed(SEED)
    network = build_network(chosen, binary=binary)
    settle(network, torch.from_numpy(images(chosen.image_size, 4)))
    return network.eval()


@cache
def packed(variant: Variant) -> PackedModel:
    """The packed program of a variant."""
    model, _ = convert_network(build(variant), **_options(variant))
    return model


def _options(variant: Variant) -> dict[str, Any]:
    """How to convert: everything that can be in 8 bits, calibrated on noise, or nothing."""
    if not variant.eight_bit:
        return {}
    from bnas_deploy.converters.eight_bit.facts import KINDS, EightBitOptions

    calibration = images(config(variant).image_size, CALIBRATION_IMAGES)
    return {"eight_bit": EightBitOptions(KINDS, calibration)}
