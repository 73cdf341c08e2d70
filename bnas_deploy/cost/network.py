"""The layers of a network, with their operations and parameters.

The rules were found by reproducing the paper's figures. Every layer that the network *has* counts,
whether its output is used or not (the unused `preprocess1` of a reduction cell counts in
full); `none` edges and pools cost nothing; a tap that falls on padding counts like any other.
Channels: C of a node, 4C of a cell's output. Sizes are those of square images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import INPUT_STATES, NODES
from bnas_deploy.nn.stems import STEM_LAYERS

__all__ = ["Layer", "network_layers"]

KERNELS = {
    "bin_conv_3x3": 3,
    "bin_conv_5x5": 5,
    "bin_dil_conv_3x3": 3,
    "bin_dil_conv_5x5": 5,
}
"""Kernel widths of the plain convolutions."""

SEPARABLE = {
    "bin_sep_conv_3x3": (3, 1),
    "bin_sep_conv_5x5": (5, 1),
    "bin_double_sep_conv_3x3": (3, 2),
    "bin_double_sep_conv_5x5": (5, 2),
    "bin_dil_sep_conv_3x3": (3, 1),
    "bin_dil_sep_conv_5x5": (5, 1),
}
"""Kernel widths of the separable convolutions, and how many stand in a row."""

SHORTCUT_KERNELS = {"conv": 2, "pool1x1": 1, "binary": 2}
"""Kernel widths of the shortcuts that have weights."""


@dataclass(frozen=True)
class Layer:
    """One convolution or linear layer with its BatchNorm (in front; behind in ImageNet's stem).

    Attributes:
        name: Where it stands: `stem`, `cells.3.preprocess0`, `cells.3.ops.1`, `classifier`.
        kind: `binary`, `float` (stem, classifier, activations of cells), or what `preprocess_res`
            is: `shortcut`, or `binary_shortcut`.
        macs: Multiply-accumulates for one image.
        weights: Number of weights, without biases.
        biases: Number of biases, learned shifts and slopes.
        norm_params: Learned parameters of the BatchNorm: two a channel, or none.
    """

    name: str
    kind: str
    macs: int
    weights: int
    biases: int = 0
    norm_params: int = 0


@dataclass(frozen=True)
class _Feature:
    """What a cell reads: channels, and height = width in pixels."""

    channels: int
    size: int


def network_layers(config: NetworkConfig) -> tuple[Layer, ...]:
    """List the layers of a network in order.

    Example:
        >>> from bnas_deploy.nn.config import get_config
        >>> sum(layer.macs for layer in network_layers(get_config("A")) if layer.kind == "binary")
        696659976

    Raises:
        ConfigError: The network is not made of cells.
    """
    if config.template != "cells":
        msg = "only networks of cells are counted; this one is a stack of layers (Table 1)"
        raise ConfigError(msg)
    return tuple(_layers(config))


def _layers(config: NetworkConfig) -> Iterator[Layer]:
    stem, s0, s1 = _stem(config)
    yield from stem
    after_reduction = config.dataset == "imagenet"
    for index, channels in enumerate(config.cell_channels):
        reduction = index in config.reductions
        out = _Feature(NODES * channels, _halved(s1.size) if reduction else s1.size)
        yield from _input_units(config, index, after_reduction, (s0, s1), channels)
        yield from _edges(config, index, channels, out.size)
        if reduction and config.skips and index > 0:
            yield _shortcut(config.shortcut, index, s1, out.channels)
        if config.cell_activation == "prelu":
            name = f"cells.{index}.activation"
            yield Layer(name, "float", 0, 0, biases=out.channels)
        s0, s1, after_reduction = s1, out, reduction
    last, classes = s1.channels, config.classes
    yield Layer("classifier", "float", last * classes, last * classes, biases=classes)


def _stem(config: NetworkConfig) -> tuple[list[Layer], _Feature, _Feature]:
    c, size = config.channels, config.image_size
    if config.dataset == "cifar10":
        kind, outputs = STEM_LAYERS[config.stem], config.stem_channels
        size //= kind.stride
        stem = _conv("stem", "float", (3, outputs, kind.kernel), size, norm_params=2 * 3)
        return [stem], _Feature(outputs, size), _Feature(outputs, size)
    first, second = _halved(size), _halved(_halved(size))
    third = _halved(second)
    layers = [
        _conv("stem0.0", "float", (3, c // 2, 3), first, norm_params=2 * (c // 2)),
        _conv("stem0.3", "float", (c // 2, c, 3), second, norm_params=2 * c),
        _conv("stem1.1", "float", (c, c, 3), third, norm_params=2 * c),
    ]
    return layers, _Feature(c, second), _Feature(c, third)


def _input_units(
    config: NetworkConfig,
    index: int,
    after_reduction: bool,
    inputs: tuple[_Feature, _Feature],
    channels: int,
) -> Iterator[Layer]:
    (s0, s1), name = inputs, f"cells.{index}.preprocess"
    kernel = 3 if after_reduction else 1
    norm = 2 * s0.channels if _has_norm0(config, index, after_reduction) else 0
    yield _conv(f"{name}0", "binary", (s0.channels, channels, kernel), s1.size, norm_params=norm)
    shape = (s1.channels, channels, 1)
    yield _conv(f"{name}1", "binary", shape, s1.size, norm_params=2 * s1.channels)


def _has_norm0(config: NetworkConfig, index: int, after_reduction: bool) -> bool:
    """Whether the first input unit of a cell has parameters of a BatchNorm."""
    imagenet = config.dataset == "imagenet"
    if config.shared_norms:  # another unit has them, unless none reads the same value
        return imagenet and index == 0
    return imagenet or not after_reduction


def _edges(config: NetworkConfig, index: int, channels: int, out_size: int) -> Iterator[Layer]:
    reduction = index in config.reductions
    shifted = config.activation.startswith("shift")
    normalised: set[int] = set()
    for j, (primitive, source) in enumerate(config.genotype.cell(reduction=reduction)):
        name, norm = f"cells.{index}.ops.{j}", 2 * channels
        if primitive in KERNELS:
            shape = (channels, channels, KERNELS[primitive])
            own = 0 if config.shared_norms and source in normalised else norm
            normalised.add(source)
            layer = _conv(name, "binary", shape, out_size, norm_params=own)
            yield replace(layer, biases=channels) if shifted else layer
        elif primitive in SEPARABLE:
            kernel, count = SEPARABLE[primitive]
            for part in range(count):
                depthwise = (1, channels, kernel)
                yield _conv(f"{name}.{part}.0", "binary", depthwise, out_size, norm_params=norm)
                pointwise = (channels, channels, 1)
                yield _conv(f"{name}.{part}.1", "binary", pointwise, out_size, norm_params=norm)
        elif primitive == "skip_connect" and reduction and source < INPUT_STATES:
            yield _conv(name, "binary", (channels, channels, 1), out_size, norm_params=norm)


def _shortcut(kind: str, index: int, source: _Feature, out_channels: int) -> Layer:
    name, norm = f"cells.{index}.preprocess_res", 2 * source.channels
    if kind not in SHORTCUT_KERNELS:
        return Layer(name, "shortcut", 0, 0, norm_params=norm)
    # Without padding, a 2x2 window of stride 2 leaves out an odd last row.
    shape = (source.channels, out_channels, SHORTCUT_KERNELS[kind])
    size = source.size // 2
    if kind == "binary":
        return _conv(name, "binary_shortcut", shape, size, norm_params=norm)
    layer = _conv(name, "shortcut", shape, size, norm_params=norm)
    return replace(layer, biases=out_channels)


def _conv(
    name: str, kind: str, shape: tuple[int, int, int], out_size: int, *, norm_params: int = 0
) -> Layer:
    inputs, outputs, kernel = shape
    weights = inputs * outputs * kernel * kernel
    return Layer(name, kind, out_size * out_size * weights, weights, norm_params=norm_params)


def _halved(size: int) -> int:
    return (size + 1) // 2
