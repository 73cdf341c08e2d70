"""The residual networks for small images of He et al. (2016, Section 4.2)."""

from __future__ import annotations

from torch import nn

from bnas_deploy.plain.config import PlainConfig
from bnas_deploy.plain.parts import Sum, conv

__all__ = ["resnet"]

STAGES = 3


def resnet(config: PlainConfig) -> tuple[nn.Sequential, int]:
    """Return stem and stages, each twice as wide as the one before, and the channels they leave."""
    channels = config.channels
    layers = conv(3, channels, 3)
    for stage in range(STAGES):
        outputs = config.channels << stage
        for _ in range(config.layers):
            layers.append(_block(channels, outputs))
            channels = outputs
    return nn.Sequential(*layers), channels


def _block(channels: int, outputs: int) -> nn.Module:
    """Two 3x3 convolutions beside a shortcut.

    Where the width changes, the shortcut is a 1x1 convolution (He et al.'s option B): it runs in
    int8, while the slices and zeros of option A would stay in floats. It adds 1% of parameters.
    """
    stride = outputs // channels
    body = [*conv(channels, outputs, 3, stride=stride), *conv(outputs, outputs, 3, activation=None)]
    skip = [] if stride == 1 else conv(channels, outputs, 1, stride=stride, activation=None)
    return Sum(nn.Sequential(*body), nn.Sequential(*skip), nn.ReLU())
