"""The CIFAR-10 and ImageNet networks, built from a `NetworkConfig`.

Shapes: images (N, 3, H, W), logits (N, classes). Module names are those of the authors' release, so
that a state_dict of one fits the other (save the ImageNet head, which is the same).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.nn.activation_scale import use_activation_scale
from bnas_deploy.nn.activations import set_activations
from bnas_deploy.nn.cell import Cell, CellShape, zero_states
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import INPUT_STATES, NODES
from bnas_deploy.nn.layers import ConvUnit, Norms
from bnas_deploy.nn.separable import centre_depthwise
from bnas_deploy.nn.shared_norms import share_norms
from bnas_deploy.nn.shortcuts import fills_zeros
from bnas_deploy.nn.stack import IMAGE_CHANNELS, build_stack
from bnas_deploy.nn.stems import STEM_LAYERS

__all__ = [
    "Network",
    "StackNetwork",
    "build_network",
    "build_stem",
    "cell_shapes",
]


class Network(nn.Module):
    """A network of cells; the stem depends on the kind of images.

    Attributes:
        config: What it is made of.
        binary: Whether its units are binarized; the float counterpart has the same graph.
        stem: CIFAR-10 only: BatchNorm, full-precision convolution, ReLU (a `ConvUnit`).
        stem0: ImageNet only: `Sequential(conv, BatchNorm, ReLU, conv, BatchNorm)`.
        stem1: ImageNet only: `Sequential(ReLU, conv, BatchNorm)`.
        cells: `ModuleList` of `Cell`.
        classifier: The linear layer behind global average pooling.
        drop_path: Probability of dropping an edge for a sample in training; set by the loop.
    """

    def __init__(self, config: NetworkConfig, *, binary: bool = True) -> None:
        super().__init__()
        self.config = config
        self.binary = binary
        self.drop_path = 0.0
        if config.dataset == "cifar10":
            self.stem = build_stem(config)
        else:
            self.stem0, self.stem1 = _imagenet_stem(config.channels)
        shapes = cell_shapes(config)
        cells = [
            Cell(config.genotype.cell(reduction=shape.reduction), shape, binary=binary)
            for shape in shapes
        ]
        self.cells = nn.ModuleList(cells)
        set_activations(cells, convs=config.activation, outputs=config.cell_activation)
        if config.shared_norms:
            share_norms(cells, one_stem=config.dataset == "cifar10")
        self.classifier = nn.Linear(NODES * shapes[-1].channels, config.classes)
        if config.centre_depthwise:
            centre_depthwise(self)
        if config.activation_scale:
            use_activation_scale(self)

    def stem_outputs(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return s0 and s1 of the first cell."""
        if self.config.dataset == "cifar10":
            s = self.stem(images)
            return s, s
        s0 = self.stem0(images)
        return s0, self.stem1(s0)

    def features(self, images: Tensor) -> Tensor:
        """Return the last cell's output."""
        s0, s1 = self.stem_outputs(images)
        norms: Norms = {}
        for cell in self.cells:
            s0, s1 = s1, cell(s0, s1, self.drop_path, norms=norms)
        return s1

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits."""
        pooled = functional.adaptive_avg_pool2d(self.features(images), 1).flatten(1)
        absent = self.classifier.in_features - pooled.shape[1]
        if absent:  # channels that are zero for every image, left out by the last cell
            pooled = functional.pad(pooled, (0, absent))
        logits: Tensor = self.classifier(pooled)
        return logits


class StackNetwork(Network):
    """The small CNN of Table 1 in place of cells: layers of one type, then three linear layers.

    Attributes:
        config: What it is made of; `cells`, stems and `classifier` of a `Network` are not there.
        body: Maps images to logits; see `nn.stack`.
    """

    def __init__(self, config: NetworkConfig, *, binary: bool = True) -> None:
        nn.Module.__init__(self)
        self.config = config
        self.binary = binary
        self.drop_path = 0.0
        self.body = build_stack(config, binary=binary)
        if config.centre_depthwise:
            centre_depthwise(self)
        if config.activation_scale:
            use_activation_scale(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits."""
        logits: Tensor = self.body(images)
        return logits


def build_network(config: NetworkConfig, *, binary: bool = True) -> Network:
    """Build a network with fresh weights, in training mode.

    Args:
        config: What it is made of.
        binary: False builds the float counterpart: the same graph and parameters, nothing
            binarized.
    """
    kind = StackNetwork if config.template == "stack" else Network
    return kind(config, binary=binary)


def build_stem(config: NetworkConfig) -> ConvUnit:
    """Build the stem of a network for small images: (N, 3, H, W) to (N, stem_channels, H', W')."""
    kind = STEM_LAYERS[config.stem]
    return ConvUnit(
        IMAGE_CHANNELS,
        config.stem_channels,
        kind.kernel,
        stride=kind.stride,
        padding=kind.padding,
        binary=False,
    )


def cell_shapes(config: NetworkConfig) -> list[CellShape]:
    """Say where each cell of a network stands (paper, Section 5.1)."""
    imagenet = config.dataset == "imagenet"
    after_reduction = imagenet
    before_last = last = config.stem_channels
    zero_parts: frozenset[int] = frozenset()
    shapes = []
    for index, channels in enumerate(config.cell_channels):
        reduction = index in config.reductions
        shape = CellShape(
            before_last=before_last,
            last=last,
            channels=channels,
            reduction=reduction,
            after_reduction=after_reduction,
            skip=config.skips and index > 0,
            imagenet=imagenet,
            shortcut=config.shortcut,
            zero_parts=zero_parts,
        )
        shapes.append(shape)
        zero_parts = _zero_parts(config, shape)
        before_last, last, after_reduction = last, NODES * channels, reduction
    return shapes


def _zero_parts(config: NetworkConfig, shape: CellShape) -> frozenset[int]:
    """Return which of the four parts of a cell's output are zero for every image."""
    states = zero_states(config.genotype.cell(reduction=shape.reduction))
    own = frozenset(state - INPUT_STATES for state in states)
    if not shape.skip:
        return own
    if not shape.reduction:
        return own & shape.zero_parts
    return frozenset() if fills_zeros(shape.shortcut, shape.zero_parts) else own


def _imagenet_stem(channels: int) -> tuple[nn.Sequential, nn.Sequential]:
    def halving(inputs: int, outputs: int) -> nn.Conv2d:
        return nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)

    half = channels // 2
    stem0 = nn.Sequential(
        halving(3, half),
        nn.BatchNorm2d(half),
        nn.ReLU(),
        halving(half, channels),
        nn.BatchNorm2d(channels),
    )
    return stem0, nn.Sequential(nn.ReLU(), halving(channels, channels), nn.BatchNorm2d(channels))
