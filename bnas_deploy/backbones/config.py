"""What a backbone network is made of: `BackboneConfig`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from bnas_deploy.checks import check_choice, check_integer, checked_keys
from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.config import STEMS
from bnas_deploy.shown import shown

__all__ = ["BACKBONES", "DOWNSAMPLING", "SCHEMES", "BackboneConfig"]

BACKBONES: dict[str, int] = {
    "resnet18": 64,
    "resnet34": 64,
    "bireal18": 64,
    "bireal20": 16,
    "bireal34": 64,
    "wrn40": 64,
    "densenet": 32,
    "nin": 192,
    "senet18": 64,
    "resnext29": 64,
}
"""Each with the number of channels that it has where it was published; `network` builds them."""

SCHEMES: dict[str, int] = {
    "xnor": 1,
    "binarynet": 1,
    "bireal": 1,
    "abc": 8,
    "pcnn": 8,
    "cbcn": 1,
    "xnor-plus": 1,
    "bonn": 1,
    "binary-duo": 1,
}
"""Each with the most bases that it can have; `schemes` makes their convolutions."""

DOWNSAMPLING: tuple[str, ...] = ("float", "binary")
"""What the 1x1 convolutions of shortcuts are that change the number of channels."""

_WITHOUT: dict[str, dict[str, object]] = {
    "nin": {"layers": 0, "downsampling": "float"},
    "densenet": {"downsampling": "float"},
}
"""Fields that mean nothing to a backbone (`nin` has no blocks, neither has shortcuts that change
the number of channels), with the value that they must have."""

_REQUIRED = {"name", "backbone", "scheme", "channels"}
_RANGES: dict[str, tuple[int, int]] = {
    # Far above any network, and low enough that a hostile file cannot ask for all memory.
    "channels": (1, 2048),
    "layers": (0, 1000),
    "classes": (1, 1_000_000),
    "image_size": (1, 16_384),
}
UNITS = {"cifar10": 8, "imagenet": 32}
"""By how much the resolution falls at most, by stem."""


@dataclass(frozen=True)
class BackboneConfig:
    """One network: a published architecture of floats, and how it is binarized.

    Attributes:
        name: What people call it.
        backbone: One of `BACKBONES`.
        scheme: One of `SCHEMES`.
        channels: Of the first stage; `densenet`: growth; `resnext29`: of a group; `nin`: of the
            first convolution.
        layers: Blocks of a stage at most; 0: as many as were published, as always for `nin`.
        bases: Binary kernels that stand for one (`abc`: activations, too).
        downsampling: One of `DOWNSAMPLING`; `float` for `nin` and `densenet`.
        dataset: Kind of stem: `cifar10` keeps the resolution, `imagenet` divides it by four.
        classes: Outputs of the classifier.
        image_size: Height and width in pixels of the images it is meant for.
        KIND: What a file calls configurations of this kind.
        EDGES: Whether there are edges that drop-path could drop.

    Raises:
        ConfigError: A field has the wrong type or an impossible value.
    """

    KIND: ClassVar[str] = "backbone"
    EDGES: ClassVar[bool] = False

    name: str
    backbone: str
    scheme: str
    channels: int
    layers: int = 0
    bases: int = 1
    downsampling: str = "float"
    dataset: str = "cifar10"
    classes: int = 10
    image_size: int = 32

    def __post_init__(self) -> None:
        check_choice("backbone", self.backbone, BACKBONES)
        check_choice("scheme", self.scheme, SCHEMES)
        check_choice("downsampling", self.downsampling, DOWNSAMPLING)
        check_choice("dataset (the kind of stem)", self.dataset, STEMS)
        name: object = self.name
        if not isinstance(name, str):
            msg = f"name: expected a str; got {shown(name)}"
            raise ConfigError(msg)
        for field, (least, most) in _RANGES.items():
            check_integer(field, getattr(self, field), least, most)
        check_integer(f"bases (scheme {self.scheme})", self.bases, 1, SCHEMES[self.scheme])
        self._check_meaningless()
        if self.image_size % UNITS[self.dataset]:
            msg = (
                f"image_size must be a multiple of {UNITS[self.dataset]} with the {self.dataset}"
                f" stem; got {self.image_size}"
            )
            raise ConfigError(msg)

    def _check_meaningless(self) -> None:
        for field, value in _WITHOUT.get(self.backbone, {}).items():
            got = getattr(self, field)
            if got != value:
                msg = f"{field}: {self.backbone} has nothing to choose here, expected {value!r}"
                msg += f"; got {got!r}"
                raise ConfigError(msg)

    @property
    def crop_unit(self) -> int:
        """Crops may be of any multiple of so many pixels; 0: images have one size only.

        The factors that XNOR-Net++ learns for rows and columns are those of one size.
        """
        small = self.dataset == "cifar10" and self.scheme != "xnor-plus"
        return UNITS[self.dataset] if small else 0

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON or a checkpoint."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": self.KIND, **values}

    def facts(self) -> dict[str, Any]:
        """Return what a packed file says of the network."""
        return {"network": self.to_dict()}

    @classmethod
    def from_dict(cls, value: object) -> BackboneConfig:
        """Read what `to_dict` wrote.

        Raises:
            ConfigError: A key is unknown or missing, or a value is wrong.
        """
        known = ["kind", *(field.name for field in fields(cls))]
        found = checked_keys("backbone configuration", value, known, required=_REQUIRED)
        check_choice("kind", found.pop("kind", cls.KIND), [cls.KIND])
        return cls(**found)
