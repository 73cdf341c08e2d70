"""SE-ResNet-18: ResNet-18 with squeeze and excitation at the end of each block."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnas_deploy.backbones.parts import Maker, Sum
from bnas_deploy.backbones.resnet import basic_body, resnet

__all__ = ["SENET18", "Excitation"]

REDUCTION = 16


class Excitation(nn.Module):
    """Multiplies each channel by a factor between 0 and 1 that the means of all channels decide.

    Global average pooling, linear layer, ReLU, linear layer, sigmoid; in full precision, as there
    are few weights in them.

    Attributes:
        squeeze: (C) to (C / 16).
        excite: (C / 16) to (C).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = max(1, channels // REDUCTION)
        self.squeeze = nn.Linear(channels, few)
        self.excite = nn.Linear(few, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same."""
        few = self.squeeze(x.mean(dim=(2, 3))).relu()
        factors: Tensor = torch.sigmoid(self.excite(few))
        return x * factors[:, :, None, None]


def excited_block(make: Maker, inputs: int, outputs: int, side: int, stride: int) -> nn.Module:
    """Return two units and an `Excitation` with one shortcut around all."""
    body = nn.Sequential(
        *basic_body(make, inputs, outputs, side=side, stride=stride), Excitation(outputs)
    )
    return Sum(body, make.shortcut(inputs, outputs, side=side, stride=stride))


SENET18 = resnet(excited_block, (2, 2, 2, 2))
