"""The small CNN of the paper's Table 1: layers of one type, then linear layers.

The paper says three layers of one type and three linear ones. Its widths and its pooling are not
stated; here every layer has C channels and is followed by 2x2 max pooling, and the linear layers
(120, 84, classes; ReLU between) are in full precision in both domains.
"""

from __future__ import annotations

from torch import nn

from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.layers import ConvUnit
from bnas_deploy.nn.separable import SeparableConv

__all__ = ["LAYER_TYPES", "build_stack"]

LAYER_TYPES: dict[str, tuple[int, int, bool]] = {
    "bin_conv_3x3": (3, 1, False),
    "bin_conv_5x5": (5, 1, False),
    "bin_dil_conv_3x3": (3, 2, False),
    "bin_dil_conv_5x5": (5, 2, False),
    "bin_sep_conv_3x3": (3, 1, True),
    "bin_sep_conv_5x5": (5, 1, True),
}
"""The columns of Table 1: kernel width, dilation, whether separable."""

HIDDEN = (120, 84)
IMAGE_CHANNELS = 3


def build_stack(config: NetworkConfig, *, binary: bool) -> nn.Sequential:
    """Build what maps images (N, 3, H, W) to logits (N, classes).

    Args:
        config: `layers` layers of the type of its genotype's first edge, `channels` wide.
        binary: Whether those layers are binarized.

    Raises:
        ConfigError: The type is none of `LAYER_TYPES`, or the image is too small to be halved by
            every layer.
    """
    primitive = config.genotype.normal[0][0]
    if primitive not in LAYER_TYPES:
        msg = f"a stack is made of one of {', '.join(LAYER_TYPES)}; got {primitive}"
        raise ConfigError(msg)
    side = config.image_size >> config.layers
    if side < 1:
        msg = f"{config.layers} layers halve an image of {config.image_size} pixels to nothing"
        raise ConfigError(msg)
    parts: list[nn.Module] = []
    channels = IMAGE_CHANNELS
    for _ in range(config.layers):
        parts += [_layer(primitive, channels, config.channels, binary=binary), nn.MaxPool2d(2)]
        channels = config.channels
    return nn.Sequential(*parts, nn.Flatten(), *_linear(channels * side * side, config.classes))


def _layer(primitive: str, inputs: int, outputs: int, *, binary: bool) -> nn.Module:
    size, dilation, separable = LAYER_TYPES[primitive]
    if separable:
        return SeparableConv(inputs, size, dilation=dilation, binary=binary, out_channels=outputs)
    padding = dilation * (size - 1) // 2
    return ConvUnit(inputs, outputs, size, padding=padding, dilation=dilation, binary=binary)


def _linear(inputs: int, classes: int) -> list[nn.Module]:
    first, second = HIDDEN
    return [
        *(nn.Linear(inputs, first), nn.ReLU()),
        *(nn.Linear(first, second), nn.ReLU()),
        nn.Linear(second, classes),
    ]
