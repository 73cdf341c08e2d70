"""What a network is made of: `NetworkConfig`, the nine published ones, and small ones."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from bnas_deploy.checks import check_choice, check_integer, checked_keys
from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE, Genotype
from bnas_deploy.nn.stages import CHANNELS, check_repeats, checked_reductions, checked_widths
from bnas_deploy.nn.stems import STEM_LAYERS
from bnas_deploy.shown import found_name, shown, unknown_name

__all__ = [
    "ACTIVATIONS",
    "CELL_ACTIVATIONS",
    "CONFIGS",
    "SHORTCUTS",
    "SMALL_CONFIGS",
    "STEMS",
    "TEMPLATES",
    "NetworkConfig",
    "get_config",
]

STEMS: tuple[str, ...] = ("cifar10", "imagenet")
"""The kinds of stem."""

SHORTCUTS: tuple[str, ...] = ("conv", "pool1x1", "binary", "pool")
"""The kinds of inter-cell skip of a reduction cell, dearest first; `nn.shortcuts` builds them."""

TEMPLATES: tuple[str, ...] = ("cells", "stack")
"""What a network is built of: cells, or a stack of layers of one type (Table 1; `nn.stack`)."""

ACTIVATIONS: tuple[str, ...] = ("relu", "none", "shift", "shift_relu")
"""What stands behind the convolutions of cells; `nn.activations` builds it."""

CELL_ACTIVATIONS: tuple[str, ...] = ("none", "prelu")
"""What stands behind a cell."""

_REQUIRED = {"name", "layers", "channels", "genotype"}
_KINDS: dict[str, type] = {
    "name": str,
    "genotype": Genotype,
    "skips": bool,
    "activation_scale": bool,
    "centre_depthwise": bool,
    "shared_norms": bool,
}
_RANGES: dict[str, tuple[int, int]] = {
    # The upper limits are far above any network, and keep a file from asking for all memory.
    "layers": (1, 1000),
    "channels": CHANNELS,
    "classes": (1, 1_000_000),
    "image_size": (1, 16_384),
}


@dataclass(frozen=True)
class NetworkConfig:
    """One network (paper, Section 5.1; Table 9).

    Attributes:
        name: What people call it.
        layers: Number of cells.
        channels: Channels of a node in the first cells (C); a reduction cell doubles them, unless
            `widths` says otherwise.
        genotype: The two cells.
        dataset: Kind of images: the paper's stem keeps the resolution of `cifar10`, and reduces
            that of `imagenet` eightfold.
        classes: Outputs of the classifier.
        image_size: Height and width in pixels of the images it is meant for.
        shortcut: How a reduction cell's skip halves the image, behind a BatchNorm: `conv` (the
            paper's full-precision 2x2 convolution), `pool1x1` (average pooling, 1x1 convolution),
            `binary` (sign, binary 2x2 convolution) or `pool` (average pooling, live channels
            repeated: no weights).
        skips: Whether there are inter-cell skip connections, the paper's cell template (without
            them: Table 8's "No Skip", and the template of float cells such as those of DARTS).
        activation_scale: Whether binary convolutions are multiplied by the activation scale K of
            Eq. 3; the paper's networks are not.
        centre_depthwise: Whether the latent weight of a depthwise binary convolution is centred
            over its one input channel like any other, which makes it zero. So the release's rule
            has it where it is taken literally; no published network has such a convolution.
        template: `cells`, or `stack`: the small CNN of Table 1, `layers` layers of the type of the
            genotype's first edge; what concerns cells does not matter there.
        stem: Of `stems.STEM_LAYERS`, for the cifar10 kind of images; the ImageNet networks have
            `paper` only, which is theirs.
        reduce_at: Indices of the reduction cells, in order; None: two, at layers // 3 and
            2 * layers // 3, as in the paper.
        widths: Channels of a node in each stage: before the first reduction cell, which is
            `channels`, and from each reduction cell on. Empty: C, 2C, 4C and so on.
        shared_norms: Whether all units that read the same value have one BatchNorm and sign
            together (see `shared_norms`), instead of one each.
        activation: What stands behind the convolutions of cells: `relu`, `none`, `shift` (a learned
            number for each channel) or `shift_relu` (that, then ReLU).
        cell_activation: What stands behind a cell, skip included: `none`, or `prelu` (a slope for
            each channel).
        KIND: What a file calls configurations of this kind (or nothing at all).
        EDGES: Whether there are edges that drop-path could drop.

    Raises:
        ConfigError: A field has the wrong type or an impossible value.
    """

    KIND: ClassVar[str] = "bnas"
    EDGES: ClassVar[bool] = True

    name: str
    layers: int
    channels: int
    genotype: Genotype
    dataset: str = "cifar10"
    classes: int = 10
    image_size: int = 32
    shortcut: str = "conv"
    skips: bool = True
    activation_scale: bool = False
    centre_depthwise: bool = False
    template: str = "cells"
    stem: str = "paper"
    reduce_at: tuple[int, ...] | None = None
    widths: tuple[int, ...] = ()
    shared_norms: bool = False
    activation: str = "relu"
    cell_activation: str = "none"

    def __post_init__(self) -> None:
        check_choice("dataset (the kind of stem)", self.dataset, STEMS)
        check_choice("shortcut", self.shortcut, SHORTCUTS)
        check_choice("template", self.template, TEMPLATES)
        check_choice("stem", self.stem, STEM_LAYERS)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("cell_activation", self.cell_activation, CELL_ACTIVATIONS)
        for field, kind in _KINDS.items():
            value: object = getattr(self, field)
            if not isinstance(value, kind):
                msg = f"{field}: expected a {kind.__name__}; got {shown(value)}"
                raise ConfigError(msg)
        for field, (least, most) in _RANGES.items():
            check_integer(field, getattr(self, field), least, most)
        reductions = checked_reductions(self.reduce_at, self.layers)
        object.__setattr__(self, "reduce_at", reductions)
        if self.dataset == "imagenet" and self.channels % 2:
            msg = f"channels must be even with the imagenet stem; got {self.channels}"
            raise ConfigError(msg)
        if self.stem != "paper" and (self.dataset == "imagenet" or self.template != "cells"):
            msg = f"stem {self.stem} is for networks of cells for the cifar10 kind of images;"
            msg += f" {self.name} has paper only"
            raise ConfigError(msg)
        if self.activation.startswith("shift") and self.activation_scale:
            msg = f"activation {self.activation} and activation_scale do not go together; choose"
            msg += " relu or none"
            raise ConfigError(msg)
        self._check_image_size()
        widths = checked_widths(self.widths, self.channels, len(self.reductions) + 1)
        object.__setattr__(self, "widths", widths)
        if self.shortcut == "pool":
            check_repeats(self.stage_widths)

    def _check_image_size(self) -> None:
        # Shortcuts of reduction cells round an odd size down, everything beside them rounds it up.
        if self.image_size % self.size_unit:
            msg = (
                f"image_size must be a multiple of {self.size_unit} with the stem"
                f" {self.stem} of {self.dataset} and {len(self.reductions)} reduction cells;"
                f" got {self.image_size}"
            )
            raise ConfigError(msg)

    @property
    def reductions(self) -> tuple[int, ...]:
        """Indices of the reduction cells."""
        if self.reduce_at is not None:
            return self.reduce_at
        return self.layers // 3, 2 * self.layers // 3

    @property
    def stage_widths(self) -> tuple[int, ...]:
        """Channels of a node in each stage."""
        if self.widths:
            return self.widths
        return tuple(self.channels * 2**stage for stage in range(len(self.reductions) + 1))

    @property
    def cell_channels(self) -> tuple[int, ...]:
        """Channels of a node in each cell; a reduction cell is the first of its stage."""
        widths, reductions = self.stage_widths, self.reductions
        return tuple(widths[sum(i >= r for r in reductions)] for i in range(self.layers))

    @property
    def stem_channels(self) -> int:
        """Channels between the stem and the first cell."""
        if self.dataset == "imagenet":
            return self.channels
        return STEM_LAYERS[self.stem].multiple * self.channels

    @property
    def size_unit(self) -> int:
        """By what the stem and the reduction cells divide the height and width of an image."""
        stem = 8 if self.dataset == "imagenet" else STEM_LAYERS[self.stem].stride
        return stem << len(self.reductions)

    @property
    def crop_unit(self) -> int:
        """Crops may be of any multiple of so many pixels; 0: images have one size only."""
        return self.size_unit if self.template == "cells" else 0

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON or a checkpoint."""
        value = {field.name: getattr(self, field.name) for field in fields(self)}
        value["genotype"] = self.genotype.to_dict()
        value["widths"] = list(self.widths)
        value["reduce_at"] = None if self.reduce_at is None else list(self.reduce_at)
        return value

    def facts(self) -> dict[str, Any]:
        """Return what a packed file says of the network."""
        return {"network": self.to_dict(), "genotype": self.genotype.to_text()}

    @classmethod
    def from_dict(cls, value: object) -> NetworkConfig:
        """Read what `to_dict` wrote.

        Raises:
            ConfigError: A key is unknown or missing, or a value is wrong.
            GenotypeError: The genotype is wrong.
        """
        known = ["kind", *(field.name for field in fields(cls))]
        found = checked_keys("network configuration", value, known, required=_REQUIRED)
        check_choice("kind", found.pop("kind", cls.KIND), (cls.KIND,))
        return cls(**{**found, "genotype": Genotype.from_dict(found["genotype"])})


def _cifar10(name: str, layers: int, channels: int) -> NetworkConfig:
    return NetworkConfig(name, layers, channels, LATEST_CELL_ZEROISE)


def _imagenet(name: str, layers: int, channels: int) -> NetworkConfig:
    return NetworkConfig(name, layers, channels, LATEST_CELL, "imagenet", 1000, 224)


def _small(name: str, layers: int, reduce_at: tuple[int, ...]) -> NetworkConfig:
    return NetworkConfig(
        name,
        layers,
        48,
        LATEST_CELL_ZEROISE,
        shortcut="pool1x1",
        stem="overlapping",
        reduce_at=reduce_at,
    )


CONFIGS: dict[str, NetworkConfig] = {
    config.name: config
    for config in (
        _cifar10("Mini", 10, 24),
        _cifar10("A", 20, 36),
        _cifar10("B", 12, 64),
        _cifar10("C", 16, 108),
        _imagenet("D", 12, 64),
        _imagenet("E", 12, 68),
        _imagenet("F", 15, 68),
        _imagenet("G", 11, 74),
        _imagenet("H", 16, 128),
    )
}
"""BNAS-Mini and BNAS-A to H by their letters."""

SMALL_CONFIGS: dict[str, NetworkConfig] = {
    config.name: config for config in (_small("Nano", 5, (2,)), _small("Micro", 8, (3,)))
}
"""Networks of the paper's CIFAR-10 cell in a template that suits the engine, by their names: about
two fifths and three fifths of the time of BNAS-Mini with `pool1x1` (docs/templates.md)."""


def get_config(name: str) -> NetworkConfig:
    """Return a published network's configuration.

    Raises:
        ConfigError: There is none of that name.
    """
    found = found_name(name, CONFIGS)
    if found is None:
        raise ConfigError(unknown_name("network", name, CONFIGS))
    return CONFIGS[found]
