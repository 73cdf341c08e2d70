"""ResNet-18 and 34, also in the form that Bi-Real Net gives them, and ResNet-20 in that form."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from bnas_deploy.backbones.parts import Maker, Sum

__all__ = [
    "BIREAL18",
    "BIREAL20",
    "BIREAL34",
    "RESNET18",
    "RESNET34",
    "Body",
    "basic_body",
    "residual_stages",
    "resnet",
]

Body = Callable[[Maker], tuple[nn.Module, nn.Module, int]]
"""Makes stem, stages and the number of channels they leave."""

Block = Callable[[Maker, int, int, int, int], nn.Module]
"""Makes a block from input and output channels, side and stride."""


def basic_body(
    make: Maker, inputs: int, outputs: int, *, side: int, stride: int
) -> tuple[nn.Module, nn.Module]:
    """Return two units, the first with the stride."""
    return (
        make.unit(inputs, outputs, side=side, stride=stride),
        make.unit(outputs, outputs, side=side, last=True),
    )


def basic_block(make: Maker, inputs: int, outputs: int, side: int, stride: int) -> nn.Module:
    """Return two units with one shortcut around both."""
    body = nn.Sequential(*basic_body(make, inputs, outputs, side=side, stride=stride))
    return Sum(body, make.shortcut(inputs, outputs, side=side, stride=stride))


def bireal_block(make: Maker, inputs: int, outputs: int, side: int, stride: int) -> nn.Module:
    """Return two units with a shortcut around each (Bi-Real Net)."""
    first = make.unit(inputs, outputs, side=side, stride=stride, last=True)
    second = make.unit(outputs, outputs, side=side, last=True)
    return nn.Sequential(
        Sum(first, make.shortcut(inputs, outputs, side=side, stride=stride)),
        Sum(second, nn.Identity()),
    )


def residual_stages(
    make: Maker, block: Block, *, inputs: int, widths: tuple[int, ...], blocks: tuple[int, ...],
    side: int,
) -> nn.Sequential:  # fmt: skip
    """Return stages of blocks; the first block of all but the first stage halves the resolution.

    Args:
        make: Makes the layers.
        block: Makes a block.
        inputs: Channels of what comes.
        widths: Channels of each stage.
        blocks: As published, of each stage.
        side: Height and width of what comes.
    """
    stages: list[nn.Module] = []
    for index, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        strides = [1 if index == 0 else 2, *[1] * (make.blocks(count) - 1)]
        side //= strides[0]
        parts = []
        for stride in strides:
            parts.append(block(make, inputs, width, side, stride))
            inputs = width
        stages.append(nn.Sequential(*parts))
    return nn.Sequential(*stages)


def resnet(block: Block, blocks: tuple[int, ...]) -> Body:
    """Return what makes stages of blocks, each twice as wide as the one before."""

    def body(make: Maker) -> tuple[nn.Module, nn.Module, int]:
        c = make.config.channels
        stem, side = make.stem(c)
        widths = tuple(c << stage for stage in range(len(blocks)))
        stages = residual_stages(make, block, inputs=c, widths=widths, blocks=blocks, side=side)
        return stem, stages, widths[-1]

    return body


RESNET18 = resnet(basic_block, (2, 2, 2, 2))
RESNET34 = resnet(basic_block, (3, 4, 6, 3))
BIREAL18 = resnet(bireal_block, (2, 2, 2, 2))
BIREAL20 = resnet(bireal_block, (3, 3, 3))
"""The ResNet for CIFAR of most papers on binary networks (He et al. 2016, Section 4.2)."""
BIREAL34 = resnet(bireal_block, (3, 4, 6, 3))
