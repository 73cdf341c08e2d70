"""The inter-cell skips of reduction cells, full precision, by name. No cells, no convolution units.

Each maps (N, L, H, W) to (N, O, H / 2, W / 2); it is made for I channels, and gets L of them: the
others, the last ones, are exactly zero (see `layers`).

A convolution turns zero channels into a share of its bias and so into values like any other. A
pooling keeps channels apart: behind its BatchNorm a zero channel would be a constant, the shift,
and so would everything of it further down. A BatchNorm that reads a constant takes its mean off in
training, exactly, which leaves nothing; in evaluation it takes off a running mean that differs a
little, and multiplies what is left by 1 / sqrt(eps). The signs behind it then have nothing to do
with those of training. So `PooledShortcut` is told which channels are zero, and repeats the others.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bnas_deploy.nn.genotype import NODES
from bnas_deploy.nn.layers import Normalise, constant_channels, convolve, normalise

__all__ = [
    "ConvShortcut",
    "PooledConvShortcut",
    "PooledShortcut",
    "RepeatParts",
    "Shortcut",
    "build_shortcut",
    "fills_zeros",
]


class Shortcut(nn.Sequential):
    """A BatchNorm, then what halves the image; `nn.Sequential` names and lists the parts.

    Attributes:
        normalise: How the BatchNorm is computed; `numba_unit.install` sets a faster way.
        live: Whether anything but zeros comes out.
    """

    normalise: Normalise

    def __init__(self, in_channels: int, *halving: nn.Module) -> None:
        super().__init__(nn.BatchNorm2d(in_channels), *halving)
        self.normalise = normalise
        self.live = True

    @property
    def bn(self) -> nn.BatchNorm2d:
        """The BatchNorm, of I channels."""
        bn = self[0]
        assert isinstance(bn, nn.BatchNorm2d)
        return bn


class ConvShortcut(Shortcut):
    """BatchNorm, 2x2 convolution of stride 2 with bias: the paper's."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, nn.Conv2d(in_channels, out_channels, 2, stride=2))

    @property
    def conv(self) -> nn.Conv2d:
        """The convolution, the last part."""
        conv = self[-1]
        assert isinstance(conv, nn.Conv2d)
        return conv

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, L, H, W) to (N, O, H / 2, W / 2)."""
        y = self.normalise(self.bn, input, binary=False)
        absent = constant_channels(self.bn, input.shape[1], binary=False)
        for part in list(self)[1:-1]:  # which keep the value of a constant channel
            y = part(y)
        return convolve(self.conv, y, self.conv.weight, absent)


class PooledConvShortcut(ConvShortcut):
    """BatchNorm, 2x2 average pooling, 1x1 convolution with bias: a quarter of the weights."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        Shortcut.__init__(
            self, in_channels, nn.AvgPool2d(2), nn.Conv2d(in_channels, out_channels, 1)
        )


class PooledShortcut(Shortcut):
    """BatchNorm, 2x2 average pooling, the live channels repeated: no weights but the BatchNorm's.

    A shortcut without live channels is zero and must not be called.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, zero_parts: frozenset[int] = frozenset()
    ) -> None:
        width = in_channels // NODES
        live = [part for part in range(NODES) if part not in zero_parts]
        parts = [live[i % len(live)] for i in range(out_channels // width)] if live else []
        super().__init__(
            in_channels, nn.AvgPool2d(2), RepeatParts(tuple(parts), width, out_channels)
        )
        self.live = bool(live)

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, L, H, W) to (N, O, H / 2, W / 2)."""
        y = self.normalise(self.bn, input, binary=False)
        for part in list(self)[1:]:
            y = part(y)
        return y


class RepeatParts(nn.Module):
    """Lays out parts of equal width again; it has no weights.

    Attributes:
        index: The input channel of each output channel; empty if the output is all zero.
        out_channels: Number of output channels.
    """

    def __init__(self, parts: tuple[int, ...], width: int, out_channels: int) -> None:
        super().__init__()
        self._parts, self._width = parts, width
        self.index = tuple(part * width + c for part in parts for c in range(width))
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, L, H, W) to (N, O, H, W)."""
        # Slices, not an index: their gradients are added in a fixed order on every device.
        parts = torch.split(x, self._width, dim=1)
        return torch.cat([parts[part] for part in self._parts], dim=1)


_BUILDERS: dict[str, Callable[[int, int, frozenset[int]], Shortcut]] = {
    "conv": lambda inputs, outputs, zero_parts: ConvShortcut(inputs, outputs),
    "pool1x1": lambda inputs, outputs, zero_parts: PooledConvShortcut(inputs, outputs),
    "pool": lambda inputs, outputs, zero_parts: PooledShortcut(
        inputs, outputs, zero_parts=zero_parts
    ),
}


def build_shortcut(
    kind: str, in_channels: int, out_channels: int, *, zero_parts: frozenset[int] = frozenset()
) -> Shortcut:
    """Build a shortcut with fresh weights.

    Args:
        kind: One of `config.SHORTCUTS`.
        in_channels: I, channels of the last cell's output, zero ones included.
        out_channels: O, channels of the reduction cell's output.
        zero_parts: Which quarters of the I channels are zero for every image.
    """
    return _BUILDERS[kind](in_channels, out_channels, zero_parts)


def fills_zeros(kind: str, zero_parts: frozenset[int]) -> bool:
    """Whether every channel behind such a shortcut varies with the image, or may."""
    return kind != "pool" or len(zero_parts) < NODES
