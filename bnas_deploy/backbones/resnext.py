"""ResNeXt-29 with 8 groups of 64 channels: bottleneck blocks with convolutions in groups."""

from __future__ import annotations

from torch import nn

from bnas_deploy.backbones.parts import Maker, Sum
from bnas_deploy.backbones.resnet import residual_stages

__all__ = ["resnext"]

CARDINALITY = 8
BLOCKS = (3, 3, 3)


def bottleneck(make: Maker, inputs: int, outputs: int, side: int, stride: int) -> nn.Module:
    """Return a 1x1 unit, a 3x3 one in groups, and a 1x1 one, with a shortcut around them.

    The two in the middle are twice as wide as the block.
    """
    wide = 2 * outputs
    before = side * stride
    body = nn.Sequential(
        make.unit(inputs, wide, 1, side=before),
        make.unit(wide, wide, side=side, stride=stride, groups=CARDINALITY),
        make.unit(wide, outputs, 1, side=side, last=True),
    )
    return Sum(body, make.shortcut(inputs, outputs, side=side, stride=stride))


def resnext(make: Maker) -> tuple[nn.Module, nn.Module, int]:
    """Return stem, stages and the channels they leave; `channels` is the width of a group."""
    c = make.config.channels
    stem, side = make.stem(c)
    first = CARDINALITY // 2 * c
    widths = (first, 2 * first, 4 * first)
    stages = residual_stages(make, bottleneck, inputs=c, widths=widths, blocks=BLOCKS, side=side)
    return stem, stages, widths[-1]
