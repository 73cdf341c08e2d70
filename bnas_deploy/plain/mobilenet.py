"""MobileNetV2 (Sandler et al. 2018) for small images, of any width.

The stem and the second stage keep the resolution, as implementations for CIFAR-10 usually do.
"""

from __future__ import annotations

from torch import nn

from bnas_deploy.plain.config import FAMILIES, PlainConfig
from bnas_deploy.plain.parts import Sum, conv

__all__ = ["mobilenetv2"]

STAGES = (
    *((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
"""Expansion, channels, blocks and first stride of each (their Table 2)."""

LAST = 1280
"""Channels before the pooling; narrow networks keep them."""

MULTIPLE = 8
"""Widths are multiples of it."""


def mobilenetv2(config: PlainConfig) -> tuple[nn.Sequential, int]:
    """Return everything before the pooling, and the channels it leaves."""
    share = config.channels / FAMILIES["mobilenetv2"]
    channels = config.channels
    layers = conv(3, channels, 3, activation=nn.ReLU6)
    for expansion, width, blocks, first in STAGES:
        outputs = _multiple(width * share)
        for block in range(min(blocks, config.layers or blocks)):
            stride = 1 if block else first
            layers.append(_block(channels, outputs, expansion, stride))
            channels = outputs
    layers += conv(channels, LAST, 1, activation=nn.ReLU6)
    return nn.Sequential(*layers), LAST


def _block(channels: int, outputs: int, expansion: int, stride: int) -> nn.Module:
    """An inverted residual: wide inside, with a depthwise convolution, and linear at the end."""
    wide = channels * expansion
    widened = conv(channels, wide, 1, activation=nn.ReLU6) if expansion > 1 else []
    depthwise = conv(wide, wide, 3, stride=stride, groups=wide, activation=nn.ReLU6)
    body = nn.Sequential(*widened, *depthwise, *conv(wide, outputs, 1, activation=None))
    if stride > 1 or channels != outputs:
        return body
    return Sum(body, nn.Identity(), nn.Identity())


def _multiple(width: float) -> int:
    """Return the nearest multiple, not more than a tenth below the width."""
    rounded = max(MULTIPLE, int(width + MULTIPLE / 2) // MULTIPLE * MULTIPLE)
    return rounded if rounded >= 0.9 * width else rounded + MULTIPLE
