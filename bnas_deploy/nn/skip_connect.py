"""The skip_connect of float cells at stride 2, as a binary unit; at stride 1 it is the identity."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.nn.layers import (
    BinaryConv2d,
    FloatConv2d,
    Normalise,
    convolve_normalised,
    normalise,
)

__all__ = ["FactorizedReduction"]


class FactorizedReduction(nn.Module):
    """BatchNorm, sign, two 1x1 convolutions of stride 2, one a pixel further, concatenated; ReLU.

    DARTS's factorized reduction with the order of a binary unit; without the sign and the binary
    weights if float. Each convolution makes half of the channels, the first the odd one more.

    Attributes:
        bn: The BatchNorm in front.
        convs: The two convolutions: of pixels (2y, 2x), and of pixels (2y + 1, 2x + 1).
        binary: Whether activations and weights are binarized.
        scaled: Whether the outputs are multiplied by the activation scale K.
        normalise: How the BatchNorm is computed; `numba_unit.install` sets a faster way.
        rectify: How ReLU is computed, in place; likewise.
    """

    normalise: Normalise
    rectify: Callable[[Tensor], Tensor]

    def __init__(self, channels: int, *, binary: bool = True) -> None:
        super().__init__()
        self.binary = binary
        self.scaled = False
        self.normalise = normalise
        self.rectify = functional.relu_
        self.bn = nn.BatchNorm2d(channels)
        kind = BinaryConv2d if binary else FloatConv2d
        widths = [width for width in (channels - channels // 2, channels // 2) if width]
        self.convs = nn.ModuleList(kind(channels, width, 1, stride=2) for width in widths)

    @property
    def parts(self) -> tuple[FloatConv2d, ...]:
        """The convolutions, as such."""
        return tuple(conv for conv in self.convs if isinstance(conv, FloatConv2d))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H / 2, W / 2), rounded up."""
        y = self.normalise(self.bn, x, binary=self.binary and not self.scaled)
        odd = [n % 2 for n in x.shape[2:]]
        if any(odd):  # what lies outside adds nothing
            y = functional.pad(y, (0, odd[1], 0, odd[0]))
        halves = [
            convolve_normalised(conv, y[:, :, i:, i:], None, binary=self.binary, scaled=self.scaled)
            for i, conv in enumerate(self.parts)
        ]
        return self.rectify(torch.cat(halves, dim=1))
