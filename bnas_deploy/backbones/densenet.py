"""DenseNet-121 with bottlenecks, for small images."""

from __future__ import annotations

from torch import nn

from bnas_deploy.backbones.parts import Appended, Maker

__all__ = ["densenet"]

BLOCKS = (6, 12, 24, 16)
BOTTLENECK = 4
"""Channels of a block's 1x1 unit in units of the growth."""


def densenet(make: Maker) -> tuple[nn.Module, nn.Module, int]:
    """Return stem, stages and the channels they leave.

    A block is a 1x1 unit and a 3x3 unit, whose output is appended to what it read; a transition
    between stages is a 1x1 unit that halves the channels, and 2x2 average pooling.
    """
    growth = make.config.channels
    channels = 2 * growth
    stem, side = make.stem(channels)
    parts: list[nn.Module] = []
    for index, published in enumerate(BLOCKS):
        if index:
            halved = channels // 2
            parts += [make.unit(channels, halved, 1, side=side), nn.AvgPool2d(2)]
            channels, side = halved, side // 2
        for _ in range(make.blocks(published)):
            wide = BOTTLENECK * growth
            first = make.unit(channels, wide, 1, side=side)
            parts.append(Appended(nn.Sequential(first, make.unit(wide, growth, side=side))))
            channels += growth
    return stem, nn.Sequential(*parts), channels
