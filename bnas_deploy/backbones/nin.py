"""Network in Network: 5x5 and 3x3 layers, each followed by two 1x1 layers.

Its last layer, a 1x1 convolution to the classes with global average pooling behind it, is the
classifier: an average and a linear layer may change places.
"""

from __future__ import annotations

from torch import nn

from bnas_deploy.backbones.parts import Maker

__all__ = ["nin"]

WIDEST = 192
GROUPS = (
    (5, (192, 160, 96)),
    (5, (192, 192, 192)),
    (3, (192, 192)),
)
"""Kernel of the first layer of a group, and channels of its layers; 3x3 max pooling between."""


def nin(make: Maker) -> tuple[nn.Module, nn.Module, int]:
    """Return stem, stages and the channels they leave.

    The first 5x5 layer is the stem, in full precision.
    """

    def width(published: int) -> int:
        return max(1, published * make.config.channels // WIDEST)

    channels = width(GROUPS[0][1][0])
    stem, side = make.stem(channels, GROUPS[0][0])
    parts: list[nn.Module] = []
    for index, (kernel, widths) in enumerate(GROUPS):
        if index:
            parts.append(nn.MaxPool2d(3, 2, 1))
            side //= 2
        for place, published in enumerate(widths):
            if index == place == 0:
                continue
            outputs, size = width(published), 1 if place else kernel
            parts.append(make.unit(channels, outputs, size, side=side))
            channels = outputs
    return stem, nn.Sequential(*parts), channels
