"""What a backbone network is made of: `BackboneConfig`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bnas_deploy.checks import check_choice, check_integer
from bnas_deploy.errors import ConfigError
from bnas_deploy.kind_config import KindConfig
from bnas_deploy.nn.config import STEMS

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

UNITS = {"cifar10": 8, "imagenet": 32}
"""By how much the resolution falls at most, by stem."""


@dataclass(frozen=True)
class BackboneConfig(KindConfig):
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

    Raises:
        ConfigError: A field has the wrong type or an impossible value.
    """

    KIND: ClassVar[str] = "backbone"
    WHAT: ClassVar[str] = "backbone configuration"
    REQUIRED: ClassVar[frozenset[str]] = frozenset({"name", "backbone", "scheme", "channels"})
    CHOICES: ClassVar[Mapping[str, Mapping[str, int] | tuple[str, ...]]] = {
        "backbone": BACKBONES,
        "scheme": SCHEMES,
        "downsampling": DOWNSAMPLING,
    }

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
        super().__post_init__()
        check_choice("dataset (the kind of stem)", self.dataset, STEMS)
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
