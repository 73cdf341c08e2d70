"""How a cell is searched: the `SearchRecipe`, the paper's and a small one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bnas_deploy.errors import ConfigError
from bnas_deploy.search.space import build_space
from bnas_deploy.settings import Settings

__all__ = [
    "PRESETS",
    "SearchRecipe",
]


@dataclass(frozen=True)
class SearchRecipe(Settings):
    """The knobs of a search; the defaults are the paper's (Sections 4.3 and 5.1).

    Attributes:
        cells: Cells of the supernet; those at cells // 3 and 2 * cells // 3 are reduction cells.
        channels: Channels of a node in its first cells (C).
        image_size: Pixels; images of another size are resized. A multiple of 4.
        images: Take only so many training images, spread evenly; 0: all of them.
        epochs: Passes over half the training images.
        batch: Images of a weight step, and of an architecture step.
        lr: Learning rate of the weights in the first epoch.
        min_lr: What it falls to along a cosine.
        momentum: Of SGD on the weights.
        weight_decay: On the weights.
        arch_lr: Learning rate of Adam on the architecture parameters.
        arch_weight_decay: On the architecture parameters.
        diversity: lambda of Eq. 6; 0 searches without the diversity regulariser.
        tau: Epochs in which the regulariser falls to 1/e (Eq. 6).
        latency_weight: What the expected time of the derived network, as a share of the target's
            (or of the network's with its own cells), is multiplied by beside Eq. 6; with a target
            the value at the start.
        target_ms: Milliseconds that the derived network may take at most; 0: no target.
        crop_padding: Pixels of zero padding for random crops; 0 switches them off.
        flip: Whether half the images are mirrored.
        zeroise: Whether Zeroise is in the space.
        dilated: Whether dilated convolutions are.
        separable: Whether separable convolutions are.
        skip: Whether cells have the inter-cell skip connections (Section 4.2).

    Raises:
        ConfigError: A value has the wrong type or is out of range.
    """

    KIND: ClassVar[str] = "search"
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {
        # Fewer than three cells would put both reduction cells in the same place.
        "cells": (3, 1_000),
        "channels": (1, 16_384),
        "image_size": (4, 16_384),
        "images": (0, 1_000_000_000),
        "epochs": (1, 1_000_000),
        "batch": (2, 1_000_000),
        **dict.fromkeys(("lr", "min_lr", "weight_decay"), (0, 1e6)),
        "momentum": (0, 1),
        **dict.fromkeys(("arch_lr", "arch_weight_decay", "diversity"), (0, 1e6)),
        **dict.fromkeys(("latency_weight", "target_ms"), (0, 1e6)),
        "tau": (1e-6, 1e6),
        "crop_padding": (0, 1_000),
    }

    cells: int = 8
    channels: int = 16
    image_size: int = 32
    images: int = 0
    epochs: int = 50
    batch: int = 64
    lr: float = 0.025
    min_lr: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    arch_lr: float = 3e-4
    arch_weight_decay: float = 1e-3
    diversity: float = 1.0
    tau: float = 7.7
    latency_weight: float = 0.0
    target_ms: float = 0.0
    crop_padding: int = 4
    flip: bool = True
    zeroise: bool = True
    dilated: bool = True
    separable: bool = False
    skip: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % 4:
            msg = f"search: image_size must be a multiple of 4; got {self.image_size}"
            raise ConfigError(msg)
        build_space(zeroise=self.zeroise, dilated=self.dilated, separable=self.separable)

    @property
    def space(self) -> tuple[str, ...]:
        """The primitives that compete."""
        return build_space(zeroise=self.zeroise, dilated=self.dilated, separable=self.separable)


PRESETS: dict[str, SearchRecipe] = {
    "paper": SearchRecipe(),
    "smoke": SearchRecipe(
        cells=4, channels=8, images=2_000, epochs=5, batch=32, arch_lr=3e-3, tau=0.77
    ),
}
"""The paper's budget, and one that shows in minutes on two cores that everything works.

Fewer architecture steps need larger ones, and tau keeps its share of the epochs.
"""
