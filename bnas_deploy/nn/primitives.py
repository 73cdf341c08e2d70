"""The seven primitives of the search space as modules, by name. No search, no mixing.

Shapes: every primitive maps (N, C, H, W) to (N, C, H / stride, W / stride), rounded up.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from bnas_deploy.nn.layers import ConvUnit

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
}
"""Each builds its module from (channels, stride, binary); paper, Table 3."""
