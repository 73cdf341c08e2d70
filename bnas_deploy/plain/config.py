"""What a small float network is made of: `PlainConfig`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from bnas_deploy.checks import check_choice, check_integer, checked_keys
from bnas_deploy.errors import ConfigError
from bnas_deploy.shown import shown

__all__ = ["FAMILIES", "PlainConfig"]

FAMILIES: dict[str, int] = {"resnet": 16, "mobilenetv2": 32, "ds-cnn": 64}
"""Each with the number of channels that its stem has where it was published."""

UNIT = 8
"""By how much the resolution falls at most."""

_REQUIRED = {"name", "family", "channels"}
_RANGES: dict[str, tuple[int, int]] = {
    # Far above any network, and low enough that a hostile file cannot ask for all memory.
    "channels": (1, 2048),
    "layers": (0, 1000),
    "classes": (1, 1_000_000),
    "image_size": (1, 16_384),
}


@dataclass(frozen=True)
class PlainConfig:
    """One float network for small images.

    Attributes:
        name: What people call it.
        family: One of `FAMILIES`.
        channels: Of the stem; the other widths follow from it.
        layers: Blocks of a stage (`resnet`: n blocks make 6n + 2 layers) or in all (`ds-cnn`);
            `mobilenetv2`: at most so many of a stage, 0: as many as were published.
        classes: Outputs of the classifier.
        image_size: Height and width in pixels of the images it is meant for.
        KIND: What a file calls configurations of this kind.
        EDGES: Whether there are edges that drop-path could drop.
        dataset: Kind of stem, as other networks have it.

    Raises:
        ConfigError: A field has the wrong type or an impossible value.
    """

    KIND: ClassVar[str] = "plain"
    EDGES: ClassVar[bool] = False
    dataset: ClassVar[str] = "cifar10"

    name: str
    family: str
    channels: int
    layers: int = 0
    classes: int = 10
    image_size: int = 32

    def __post_init__(self) -> None:
        check_choice("family", self.family, FAMILIES)
        name: object = self.name
        if not isinstance(name, str):
            msg = f"name: expected a str; got {shown(name)}"
            raise ConfigError(msg)
        for field, (least, most) in _RANGES.items():
            check_integer(field, getattr(self, field), least, most)
        if self.family != "mobilenetv2":
            check_integer(f"layers (of {self.family})", self.layers, 1, _RANGES["layers"][1])
        if self.image_size % UNIT:
            msg = f"image_size must be a multiple of {UNIT}; got {self.image_size}"
            raise ConfigError(msg)

    @property
    def crop_unit(self) -> int:
        """Crops may be of any multiple of so many pixels."""
        return UNIT

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON or a checkpoint."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": self.KIND, **values}

    def facts(self) -> dict[str, Any]:
        """Return what a file says of the network."""
        return {"network": self.to_dict()}

    @classmethod
    def from_dict(cls, value: object) -> PlainConfig:
        """Read what `to_dict` wrote.

        Raises:
            ConfigError: A key is unknown or missing, or a value is wrong.
        """
        known = ["kind", *(field.name for field in fields(cls))]
        found = checked_keys("configuration of a float network", value, known, required=_REQUIRED)
        check_choice("kind", found.pop("kind", cls.KIND), [cls.KIND])
        return cls(**found)
