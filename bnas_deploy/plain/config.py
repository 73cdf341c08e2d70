"""What a small float network is made of: `PlainConfig`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bnas_deploy.checks import check_integer
from bnas_deploy.errors import ConfigError
from bnas_deploy.kind_config import MOST_LAYERS, KindConfig

__all__ = ["FAMILIES", "PlainConfig"]

FAMILIES: dict[str, int] = {"resnet": 16, "mobilenetv2": 32, "ds-cnn": 64}
"""Each with the number of channels that its stem has where it was published."""

UNIT = 8
"""By how much the resolution falls at most."""


@dataclass(frozen=True)
class PlainConfig(KindConfig):
    """One float network for small images.

    Attributes:
        name: What people call it.
        family: One of `FAMILIES`.
        channels: Of the stem; the other widths follow from it.
        layers: Blocks of a stage (`resnet`: n blocks make 6n + 2 layers) or in all (`ds-cnn`);
            `mobilenetv2`: at most so many of a stage, 0: as many as were published.
        classes: Outputs of the classifier.
        image_size: Height and width in pixels of the images it is meant for.
        dataset: Kind of stem, as other networks have it.

    Raises:
        ConfigError: A field has the wrong type or an impossible value.
    """

    KIND: ClassVar[str] = "plain"
    WHAT: ClassVar[str] = "configuration of a float network"
    REQUIRED: ClassVar[frozenset[str]] = frozenset({"name", "family", "channels"})
    CHOICES: ClassVar[Mapping[str, Mapping[str, int] | tuple[str, ...]]] = {"family": FAMILIES}
    dataset: ClassVar[str] = "cifar10"

    name: str
    family: str
    channels: int
    layers: int = 0
    classes: int = 10
    image_size: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.family != "mobilenetv2":
            check_integer(f"layers (of {self.family})", self.layers, 1, MOST_LAYERS)
        if self.image_size % UNIT:
            msg = f"image_size must be a multiple of {UNIT}; got {self.image_size}"
            raise ConfigError(msg)

    @property
    def crop_unit(self) -> int:
        """Crops may be of any multiple of so many pixels."""
        return UNIT
