"""The inter-cell skips of reduction cells, by name.

Each maps (N, L, H, W) to (N, O, H / 2, W / 2); it is made for I channels, and gets L of them: the
others, the last ones, are exactly zero (see `layers`).

A convolution turns zero channels into a share of its bias and so into values like any other. A
pooling keeps channels apart: behind its BatchNorm a zero channel would be a constant, the shift,
and so would everything of it further down. A BatchNorm that reads a constant takes its mean off in
training, exactly, which leaves nothing; in evaluation it takes off a running mean that differs a
little, and multiplies what is left by 1 / sqrt(eps). The signs behind it then have nothing to do
with those of training. So `PooledShortcut` is told which channels are zero, and repeats the others.
A binary convolution reads the sign of the shift in both modes, a known number that it adds to its
dot product; only if it has no live channel is its output constant, and then it is zero here.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bnas_deploy.nn.genotype import NODES
from bnas_deploy.nn.layers import (
    BinaryConv2d,
    FloatConv2d,
    Normalise,
    constant_channels,
    convolve,
    convolve_normalised,
    normalise,
)

__all__ = [
    "BinaryShortcut",
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


class BinaryShortcut(Shortcut):
    """BatchNorm, sign, binary 2x2 convolution of stride 2; no bias and no ReLU.

    The float counterpart has neither the sign nor the binary weight. A shortcut without live
    channels is zero and must not be called.

    Attributes:
        binary: Whether activations and weights are binarized.
        scaled: Whether the output is multiplied by the activation scale K (paper, Eq. 3).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        zero_parts: frozenset[int] = frozenset(),
        binary: bool = True,
    ) -> None:
        kind = BinaryConv2d if binary else FloatConv2d
        super().__init__(in_channels, kind(in_channels, out_channels, 2, stride=2))
        self.binary = binary
        self.scaled = False
        self.live = len(zero_parts) < NODES

    @property
    def conv(self) -> FloatConv2d:
        """The convolution, the last part."""
        conv = self[-1]
        assert isinstance(conv, FloatConv2d)
        return conv

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, L, H, W) to (N, O, H / 2, W / 2)."""
        signs_alone = self.binary and not self.scaled
        y = self.normalise(self.bn, input, binary=signs_alone)
        absent = constant_channels(self.bn, input.shape[1], binary=signs_alone)
        return convolve_normalised(self.conv, y, absent, binary=self.binary, scaled=self.scaled)


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


_BUILDERS: dict[str, Callable[[int, int, frozenset[int], bool], Shortcut]] = {
    "conv": lambda inputs, outputs, zero_parts, binary: ConvShortcut(inputs, outputs),
    "pool1x1": lambda inputs, outputs, zero_parts, binary: PooledConvShortcut(inputs, outputs),
    "binary": lambda inputs, outputs, zero_parts, binary: BinaryShortcut(
        inputs, outputs, zero_parts=zero_parts, binary=binary
    ),
    "pool": lambda inputs, outputs, zero_parts, binary: PooledShortcut(
        inputs, outputs, zero_parts=zero_parts
    ),
}

_NO_CONSTANTS = frozenset({"binary", "pool"})
"""Kinds that are zero, not constant, where all that they read is zero."""


def build_shortcut(
    kind: str,
    in_channels: int,
    out_channels: int,
    *,
    zero_parts: frozenset[int] = frozenset(),
    binary: bool = True,
) -> Shortcut:
    """Build a shortcut with fresh weights.

    Args:
        kind: One of `config.SHORTCUTS`.
        in_channels: I, channels of the last cell's output, zero ones included.
        out_channels: O, channels of the reduction cell's output.
        zero_parts: Which quarters of the I channels are zero for every image.
        binary: Whether the network is binarized; matters to the kind `binary` alone.
    """
    return _BUILDERS[kind](in_channels, out_channels, zero_parts, binary)


def fills_zeros(kind: str, zero_parts: frozenset[int]) -> bool:
    """Whether every channel behind such a shortcut varies with the image, or may."""
    return kind not in _NO_CONSTANTS or len(zero_parts) < NODES
