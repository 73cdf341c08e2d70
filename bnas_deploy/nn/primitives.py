"""The primitives of genotypes as modules, by name.

Shapes: every primitive maps (N, C, H, W) to (N, C, H / stride, W / stride), rounded up.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from bnas_deploy.nn.layers import ConvUnit
from bnas_deploy.nn.separable import SeparableConv
from bnas_deploy.nn.skip_connect import FactorizedReduction

__all__ = [
    "OPS",
    "Zeroise",
]


class Zeroise(nn.Module):
    """Returns zeros: an edge that is not there. Cells never compute it; the search does."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros of the primitive's output shape."""
        return x[:, :, :: self.stride, :: self.stride].mul(0.0)


def _conv(size: int, dilation: int) -> Callable[[int, int, bool], nn.Module]:
    def build(channels: int, stride: int, binary: bool) -> nn.Module:
        return ConvUnit(
            channels,
            channels,
            size,
            stride=stride,
            padding=dilation * (size - 1) // 2,
            dilation=dilation,
            binary=binary,
        )

    return build


def _separable(size: int, dilation: int = 1) -> Callable[[int, int, bool], nn.Module]:
    def build(channels: int, stride: int, binary: bool) -> nn.Module:
        return SeparableConv(channels, size, stride=stride, dilation=dilation, binary=binary)

    return build


def _twice(size: int) -> Callable[[int, int, bool], nn.Module]:
    def build(channels: int, stride: int, binary: bool) -> nn.Module:
        return nn.Sequential(
            SeparableConv(channels, size, stride=stride, binary=binary),
            SeparableConv(channels, size, binary=binary),
        )

    return build


def _skip_connect(channels: int, stride: int, binary: bool) -> nn.Module:
    return nn.Identity() if stride == 1 else FactorizedReduction(channels, binary=binary)


OPS: dict[str, Callable[[int, int, bool], nn.Module]] = {
    "none": lambda channels, stride, binary: Zeroise(stride),
    "max_pool_3x3": lambda channels, stride, binary: nn.MaxPool2d(3, stride=stride, padding=1),
    "avg_pool_3x3": lambda channels, stride, binary: nn.AvgPool2d(
        3, stride=stride, padding=1, count_include_pad=False
    ),
    "bin_conv_3x3": _conv(3, 1),
    "bin_conv_5x5": _conv(5, 1),
    "bin_dil_conv_3x3": _conv(3, 2),
    "bin_dil_conv_5x5": _conv(5, 2),
    "bin_sep_conv_3x3": _separable(3),
    "bin_sep_conv_5x5": _separable(5),
    "bin_double_sep_conv_3x3": _twice(3),
    "bin_double_sep_conv_5x5": _twice(5),
    "bin_dil_sep_conv_3x3": _separable(3, 2),
    "bin_dil_sep_conv_5x5": _separable(5, 2),
    "skip_connect": _skip_connect,
}
"""Each builds its module from (channels, stride, binary), in the order of `genotype.PRIMITIVES`."""
