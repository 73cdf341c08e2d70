"""The parts of backbones: units, sums, stems and shortcuts, and what makes them.

Shapes: values are (N, C, H, W); all are square, and `side` is H and W.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.backbones.config import BackboneConfig
from bnas_deploy.backbones.schemes import SCHEMES
from bnas_deploy.backbones.schemes.base import Geometry, PlacedConv2d

__all__ = ["Appended", "FloatUnitConv2d", "Maker", "Sum", "Unit"]

IMAGE_CHANNELS = 3


class Unit(nn.Module):
    """A BatchNorm before or after a convolution that binarizes its input.

    Attributes:
        before: BatchNorm or nothing.
        conv: A `SchemeConv2d`, or a `FloatUnitConv2d` in a float network.
        after: BatchNorm, activation or nothing.
    """

    def __init__(self, before: nn.Module, conv: nn.Module, after: nn.Module) -> None:
        super().__init__()
        self.before = before
        self.conv = conv
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W) to (N, O, H', W')."""
        y: Tensor = self.after(self.conv(self.before(x)))
        return y


class FloatUnitConv2d(PlacedConv2d):
    """What stands in a float network where a scheme's convolution does: ReLU, convolution."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, I, H, W) to (N, O, H', W')."""
        return super().forward(functional.relu(input))


class Sum(nn.Module):
    """A body around which a shortcut leads."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Return body(x) + shortcut(x)."""
        y: Tensor = self.body(x) + self.shortcut(x)
        return y


class Appended(nn.Module):
    """A body whose output is appended to its input."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """Return x and body(x), concatenated along the channels."""
        return torch.cat([x, self.body(x)], dim=1)


class Maker:
    """Makes the layers of a backbone as a configuration wants them.

    Attributes:
        config: Of the network.
        scheme: Its scheme.
    """

    def __init__(self, config: BackboneConfig, *, binary: bool) -> None:
        self.config = config
        self.scheme = SCHEMES[config.scheme]
        self._conv = self.scheme.conv if binary else FloatUnitConv2d

    def blocks(self, published: int) -> int:
        """Return how many blocks a stage has."""
        return min(published, self.config.layers or published)

    def unit(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        *,
        side: int,
        stride: int = 1,
        groups: int = 1,
        last: bool = False,
    ) -> Unit:
        """Return a binary unit.

        Args:
            inputs: Its input channels.
            outputs: Its output channels.
            kernel: Height and width of the kernel; the resolution is kept at stride 1.
            side: Height and width of what it makes.
            stride: In both directions.
            groups: Of the convolution.
            last: Whether a sum takes what it makes, which then has no activation.
        """
        geometry = Geometry(inputs, outputs, kernel, stride, groups, side, self.config.bases)
        conv = self._conv(geometry)
        if self.scheme.norm == "after":
            return Unit(nn.Identity(), conv, nn.BatchNorm2d(outputs))
        activation = nn.Identity() if last else self._activation(outputs)
        return Unit(nn.BatchNorm2d(inputs), conv, activation)

    def shortcut(self, inputs: int, outputs: int, *, side: int, stride: int) -> nn.Module:
        """Return what leads around a block: nothing, or a 1x1 convolution (option B of ResNet).

        In full precision with a BatchNorm behind it, and where BatchNorms stand after
        convolutions (Bi-Real Net) 2x2 average pooling in front in place of the stride; or binary.

        Args:
            inputs: Channels of what comes.
            outputs: Channels that are needed.
            side: Height and width that are needed.
            stride: Of the block.
        """
        if inputs == outputs and stride == 1:
            return nn.Identity()
        if self.config.downsampling == "binary":
            return self.unit(inputs, outputs, 1, side=side, stride=stride, last=True)
        if stride == 1 or self.scheme.norm == "before":
            conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(outputs))
        conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        return nn.Sequential(nn.AvgPool2d(stride), conv, nn.BatchNorm2d(outputs))

    def stem(self, outputs: int, kernel: int = 3) -> tuple[nn.Sequential, int]:
        """Return the first layers, in full precision, and the height and width they leave.

        Their ReLU is left out where signs follow without a BatchNorm between, as they would all
        be +1.

        Args:
            outputs: Channels.
            kernel: Height and width of the kernel for small images; it is 7 for ImageNet.
        """
        large = self.config.dataset == "imagenet"
        size, stride, padding = (7, 2, 3) if large else (kernel, 1, kernel // 2)
        conv = nn.Conv2d(IMAGE_CHANNELS, outputs, size, stride, padding, bias=False)
        parts: list[nn.Module] = [conv, nn.BatchNorm2d(outputs)]
        parts += [nn.ReLU()] if self.scheme.norm == "before" else []
        parts += [nn.MaxPool2d(3, 2, 1)] if large else []
        return nn.Sequential(*parts), self.config.image_size // (4 if large else 1)

    def tail(self, channels: int) -> nn.Module:
        """Return what stands in front of the global pooling."""
        if self.scheme.norm == "after":
            return nn.Identity()
        return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())

    def _activation(self, channels: int) -> nn.Module:
        kinds = {"relu": nn.ReLU(), "prelu": nn.PReLU(channels), "": nn.Identity()}
        return kinds[self.scheme.activation]
