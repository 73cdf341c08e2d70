"""DS-CNN (Zhang et al. 2017): a stem of stride 2 and depthwise separable convolutions.

Published for spectrograms, with a stem of 10x4; the stem for pictures is 3x3.
"""

from __future__ import annotations

from torch import nn

from bnas_deploy.plain.config import PlainConfig
from bnas_deploy.plain.parts import conv

__all__ = ["ds_cnn"]


def ds_cnn(config: PlainConfig) -> tuple[nn.Sequential, int]:
    """Return everything before the pooling, and the channels it leaves."""
    channels = config.channels
    layers = conv(3, channels, 3, stride=2)
    for _ in range(config.layers):
        layers += conv(channels, channels, 3, groups=channels)
        layers += conv(channels, channels, 1)
    return nn.Sequential(*layers), channels
