"""Separable convolutions of binary units: depthwise, then pointwise.

The paper's Eq. 4: two nested convolutions, each binarized as any other, with one ReLU at the end.
A depthwise filter reads one channel, so centring its latent weight over the input channels, as the
release's rule read literally demands, leaves nothing but zeros; see `BinaryConv2d.centred`.
"""

from __future__ import annotations

from torch import nn

from bnas_deploy.nn.layers import BinaryConv2d, ConvUnit

__all__ = ["SeparableConv", "centre_depthwise"]


class SeparableConv(nn.Sequential):
    """A depthwise unit without ReLU, then a 1x1 unit: (N, C, H, W) to (N, O, H / s, W / s)."""

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        binary: bool = True,
        out_channels: int | None = None,
    ) -> None:
        depthwise = ConvUnit(
            channels,
            channels,
            kernel_size,
            stride=stride,
            padding=dilation * (kernel_size - 1) // 2,
            dilation=dilation,
            groups=channels,
            relu=False,
            binary=binary,
        )
        if isinstance(depthwise.conv, BinaryConv2d):
            depthwise.conv.centred = False
        outputs = channels if out_channels is None else out_channels
        super().__init__(depthwise, ConvUnit(channels, outputs, 1, binary=binary))


def centre_depthwise(network: nn.Module) -> None:
    """Make every depthwise convolution follow the release's rule literally: its weights are 0."""
    for module in network.modules():
        if isinstance(module, BinaryConv2d):
            module.centred = True
