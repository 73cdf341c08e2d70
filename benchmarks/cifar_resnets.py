"""The residual networks for CIFAR-10 of He et al. (2016, section 4.2), which a user might take.

They are float networks, for the rivals; their int8 is post-training quantization. Weights are
random: speed does not depend on them.
"""

from __future__ import annotations

from functools import cache

import networks
import torch
from torch import Tensor, nn

__all__ = ["DEPTHS", "build"]

DEPTHS = {"ResNet-20": 3, "ResNet-56": 9}
"""Blocks a stage; a network of n blocks has 6n + 2 layers."""
WIDTHS = (16, 32, 64)
CLASSES, SIZE, SEED = 10, 32, 20


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut.

    Where the width changes, the shortcut is a 1x1 convolution (He et al.'s option B): it runs in
    int8, while the slices and zeros of option A would stay in floats. It adds 1% of parameters.
    """

    def __init__(self, channels: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_conv(channels, outputs, 3, stride), nn.ReLU(), *_conv(outputs, outputs, 3, 1)
        )
        changes = stride > 1 or channels != outputs
        self.shortcut = nn.Sequential(*(_conv(channels, outputs, 1, stride) if changes else ()))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


def _conv(channels: int, outputs: int, kernel: int, stride: int) -> tuple[nn.Module, nn.Module]:
    conv = nn.Conv2d(channels, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(outputs)


@cache
def build(name: str) -> nn.Module:
    """Build one of DEPTHS in evaluation mode, with the BatchNorm statistics of noise."""
    torch.manual_seed(SEED)
    layers: list[nn.Module] = [*_conv(3, WIDTHS[0], 3, 1), nn.ReLU()]
    channels = WIDTHS[0]
    for outputs in WIDTHS:
        for _ in range(DEPTHS[name]):
            layers.append(_Block(channels, outputs, outputs // channels))
            channels = outputs
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES)]
    network = nn.Sequential(*layers)
    networks.settle(network, torch.from_numpy(networks.images(SIZE, networks.CALIBRATION_IMAGES)))
    return network.eval()
