"""The base of every scheme's convolution: how it trains, and what it is at inference.

Shapes: I input channels, O output channels, kh kw the kernel; G groups.

A scheme's convolution takes floats; the signs are its own. It has two forms of the same function:
`forward` for PyTorch, one convolution of `activations` with `kernel`, and `branches` for exporters,
binary convolutions of which the sum is taken.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from bnas_deploy.backbones.schemes.signs import clip_sign
from bnas_deploy.nn.layers import FloatConv2d, LatentConv2d
from bnas_deploy.nn.quantize import ste_sign

__all__ = [
    "Branch",
    "Geometry",
    "PlacedConv2d",
    "SchemeConv2d",
    "filter_magnitude",
    "signs_with_magnitude",
]


@dataclass(frozen=True)
class Geometry:
    """Where a convolution stands.

    Attributes:
        inputs: I.
        outputs: O.
        kernel: Height and width of the kernel.
        stride: In both directions.
        groups: G.
        side: Height and width of what it makes.
        bases: Binary kernels that stand for one.
    """

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    groups: int = 1
    side: int = 0
    bases: int = 1

    @property
    def padding(self) -> int:
        """Keeps the resolution at stride 1."""
        return self.kernel // 2


@dataclass(frozen=True)
class Branch:
    """Binary convolutions of the same signs.

    Attributes:
        shift: (I,), added before the sign; None: nothing is.
        kernels: Signs (O, I / G, kh, kw) of -1 and +1, and scales (O,), of each.
    """

    shift: Tensor | None
    kernels: tuple[tuple[Tensor, Tensor], ...]


class PlacedConv2d(FloatConv2d):
    """A convolution without bias that stands at some place."""

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(
            geometry.inputs,
            geometry.outputs,
            geometry.kernel,
            stride=geometry.stride,
            padding=geometry.padding,
            groups=geometry.groups,
        )


class SchemeConv2d(PlacedConv2d, LatentConv2d):
    """A convolution without bias whose `weight` is latent, and whose input is binarized."""

    def forward(self, input: Tensor) -> Tensor:
        """Binarize floats (N, I, H, W) and convolve; padded positions add nothing."""
        y = functional.conv2d(
            self.activations(input),
            self.real_kernel() if self.training and self.real_weights else self.kernel(),
            None,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )
        factors = self.pixel_factors()
        return y if factors is None else y * factors

    def activations(self, x: Tensor) -> Tensor:
        """Return what the kernel is convolved with: sign(x), with the gradient 1[|x| < 1]."""
        return ste_sign(x)

    @abstractmethod
    def kernel(self) -> Tensor:
        """Return the kernel that stands for the latent weight, scaled, with its gradient."""

    def real_kernel(self) -> Tensor:
        """Return the kernel that stands for the latent weight where nothing is binarized."""
        return self.weight

    @abstractmethod
    def branches(self) -> tuple[Branch, ...]:
        """Return the inference form."""

    def pixel_factors(self) -> Tensor | None:
        """Return factors (H', W') of the pixels of what is made; None: there are none."""
        return None


def filter_magnitude(weight: Tensor) -> Tensor:
    """Return the mean of |W| of each filter, (O,), a constant for the gradient."""
    return weight.detach().abs().mean(dim=(1, 2, 3))


def signs_with_magnitude(weight: Tensor) -> Tensor:
    """Return sign(W) * mean|W|, (O, I / G, kh, kw); backward mean|W| * G * 1[|W| <= 1]."""
    return clip_sign(weight) * filter_magnitude(weight)[:, None, None, None]
