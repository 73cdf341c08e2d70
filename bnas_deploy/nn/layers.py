"""The binary convolution and the unit around it. No cells, and no choice of primitives."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.nn.quantize import binarize_weight, binary_weight, constrain_weight, ste_sign


class BinaryConv2d(nn.Conv2d):
    """A convolution without bias whose `weight` is latent: it computes with sign(W) * beta.

    In training mode each forward pass first centres and clamps the latent weight in place, as the
    release does; in evaluation mode nothing is changed.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, bias=False
        )

    def forward(self, input: Tensor) -> Tensor:
        """Convolve signs, (N, I, H, W), with binary weights; padded positions add nothing."""
        return self._conv_forward(input, self.effective_weight(), None)

    def effective_weight(self) -> Tensor:
        """Return sign(W) * beta, (O, I, kh, kw), after constraining `weight` when training."""
        if self.training:
            with torch.no_grad():
                self.weight.copy_(constrain_weight(self.weight))
            return binary_weight(self.weight)
        sign, beta = binarize_weight(self.weight)
        return sign * beta[:, None, None, None]


def bn_then_sign(bn: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Return the signs, -1 and +1, of the normalised activations (N, C, H, W)."""
    return ste_sign(bn(x))


class ConvUnit(nn.Module):
    """BatchNorm, sign, binary convolution, ReLU; without the sign and the binary weight if float.

    Attributes:
        bn: The BatchNorm in front.
        op: `Sequential(convolution, ReLU)`; the convolution is a `BinaryConv2d` if binary.
        binary: Whether activations and weights are binarized.
        bn_sign: How a binary unit normalises and binarizes; `numba_unit.install` sets a faster way.
    """

    bn_sign: Callable[[nn.BatchNorm2d, Tensor], Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        binary: bool = True,
        affine: bool = True,
    ) -> None:
        super().__init__()
        self.binary = binary
        self.bn_sign = bn_then_sign
        self.bn = nn.BatchNorm2d(in_channels, affine=affine)
        geometry = {"stride": stride, "padding": padding, "dilation": dilation}
        conv: nn.Conv2d
        if binary:
            conv = BinaryConv2d(in_channels, out_channels, kernel_size, **geometry)
        else:
            conv = nn.Conv2d(in_channels, out_channels, kernel_size, **geometry, bias=False)
        self.op = nn.Sequential(conv, nn.ReLU())

    @property
    def conv(self) -> nn.Conv2d:
        """The convolution."""
        conv = self.op[0]
        assert isinstance(conv, nn.Conv2d)
        return conv

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W) to (N, O, H', W')."""
        x = self.bn_sign(self.bn, x) if self.binary else self.bn(x)
        return functional.relu(self.conv(x))
