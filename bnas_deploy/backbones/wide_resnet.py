"""The wide ResNet WRN-40-4: three stages of six blocks of two units."""

from __future__ import annotations

from torch import nn

from bnas_deploy.backbones.parts import Maker
from bnas_deploy.backbones.resnet import basic_block, residual_stages

__all__ = ["wide_resnet"]

WIDENING = 4
BLOCKS = (6, 6, 6)


def wide_resnet(make: Maker) -> tuple[nn.Module, nn.Module, int]:
    """Return stem, stages and the channels they leave; the stem has a quarter of the first's."""
    c = make.config.channels
    thin = max(1, c // WIDENING)
    stem, side = make.stem(thin)
    widths = (c, 2 * c, 4 * c)
    stages = residual_stages(
        make, basic_block, inputs=thin, widths=widths, blocks=BLOCKS, side=side
    )
    return stem, stages, widths[-1]
