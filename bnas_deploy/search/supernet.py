"""The supernet: cells whose edges mix all primitives, with the paper's skips.

Shapes: images (N, 3, H, W), logits (N, classes); E = 14 edges of a cell, P primitives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.nn.cell import CellShape
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import INPUT_STATES, LATEST_CELL, NODES
from bnas_deploy.nn.layers import ConvUnit
from bnas_deploy.nn.network import build_stem, cell_shapes
from bnas_deploy.nn.shortcuts import build_shortcut
from bnas_deploy.search.alternation import SearchNetwork
from bnas_deploy.search.grouped import mix_state, share_norms
from bnas_deploy.search.mixed import MixedEdge
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.search.space import SUPERNET_EDGES

__all__ = [
    "ALPHA_SCALE",
    "KINDS",
    "SuperCell",
    "Supernet",
]

KINDS = ("normal", "reduce")
ALPHA_SCALE = 1e-3
"""Standard deviation of the architecture parameters at the start."""

_EDGES_FROM = [
    [j for j, (_, own) in enumerate(SUPERNET_EDGES) if own == source]
    for source in range(INPUT_STATES + NODES - 1)
]
"""The indices of the edges out of each state but the last."""


class SuperCell(nn.Module):
    """A cell of the template T_B (Section 4.2) that reads every earlier state through a mixed edge.

    Attributes:
        shape: Where the cell stands.
        preprocess0: Full-precision unit on s0, without affine parameters in its BatchNorm.
        preprocess1: The same on s1.
        preprocess_res: The skip of a reduction cell; absent in other cells.
        edges: The mixed edges, in the order of `SUPERNET_EDGES`.
    """

    def __init__(self, space: Sequence[str], shape: CellShape) -> None:
        super().__init__()
        self.shape = shape
        self.preprocess0 = _input_unit(shape.before_last, shape, halve=shape.after_reduction)
        self.preprocess1 = _input_unit(shape.last, shape, halve=False)
        if shape.reduction and shape.skip:
            self.preprocess_res = build_shortcut(shape.shortcut, shape.last, NODES * shape.channels)
        self.edges = nn.ModuleList(
            MixedEdge(space, shape.channels, 2 if shape.reduction and source < INPUT_STATES else 1)
            for _, source in SUPERNET_EDGES
        )
        for own in _EDGES_FROM:
            share_norms([self.edge(j) for j in own])

    def edge(self, index: int) -> MixedEdge:
        """Return the mixed edge of an index into `SUPERNET_EDGES`."""
        edge = self.edges[index]
        assert isinstance(edge, MixedEdge)
        return edge

    def forward(self, s0: Tensor, s1: Tensor, p: Tensor) -> Tensor:
        """Compute the cell's output (N, 4C, H', W').

        Args:
            s0: Output of the cell before the last.
            s1: Output of the last cell.
            p: (E, P), the probabilities of the primitives.
        """
        sums: dict[int, Tensor] = {0: self.preprocess0(s0), 1: self.preprocess1(s1)}
        for source, own in enumerate(_EDGES_FROM):
            parts = mix_state([self.edge(j) for j in own], sums[source], p[own])
            for j, part in zip(own, parts, strict=True):
                target = SUPERNET_EDGES[j][0]
                sums[target] = sums[target] + part if target in sums else part
        joined = torch.cat([sums[INPUT_STATES + node] for node in range(NODES)], dim=1)
        if not self.shape.skip:
            return joined
        return joined + (self.preprocess_res(s1) if self.shape.reduction else s1)


class Supernet(SearchNetwork):
    """The network that is searched in.

    Attributes:
        space: The names of the primitives.
        stem: BatchNorm, full-precision 3x3 convolution, ReLU.
        cells: `ModuleList` of `SuperCell`.
        classifier: The linear layer behind global average pooling.
        alphas: Architecture parameters, (E, P) for each of `KINDS`; all cells of a kind share them.
    """

    def __init__(self, recipe: SearchRecipe, classes: int) -> None:
        super().__init__()
        self.space = recipe.space
        config = _config(recipe)
        self.stem = build_stem(config)
        shapes = _shapes(config, recipe)
        self.cells = nn.ModuleList(SuperCell(self.space, shape) for shape in shapes)
        self._kinds = ["reduce" if shape.reduction else "normal" for shape in shapes]
        self.classifier = nn.Linear(NODES * shapes[-1].channels, classes)
        size = (len(SUPERNET_EDGES), len(self.space))
        self.alphas = nn.ParameterDict(
            {kind: nn.Parameter(ALPHA_SCALE * torch.randn(size)) for kind in KINDS}
        )

    def probabilities(self) -> dict[str, Tensor]:
        """Return the softmax of the architecture parameters over the primitives, (E, P) each."""
        return {kind: functional.softmax(self.alphas[kind], dim=1) for kind in KINDS}

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits."""
        p = self.probabilities()
        s0 = s1 = self.stem(images)
        for cell, kind in zip(self.cells, self._kinds, strict=True):
            s0, s1 = s1, cell(s0, s1, p[kind])
        pooled = functional.adaptive_avg_pool2d(s1, 1).flatten(1)
        logits: Tensor = self.classifier(pooled)
        return logits


def _config(recipe: SearchRecipe) -> NetworkConfig:
    # A genotype matters to shapes only by its zero states; this one has none, nor has a mixed cell.
    return NetworkConfig(
        "supernet", recipe.cells, recipe.channels, LATEST_CELL, image_size=recipe.image_size
    )


def _shapes(config: NetworkConfig, recipe: SearchRecipe) -> list[CellShape]:
    shapes = cell_shapes(config)
    return shapes if recipe.skip else [replace(shape, skip=False) for shape in shapes]


def _input_unit(in_channels: int, shape: CellShape, *, halve: bool) -> ConvUnit:
    size, stride, padding = (3, 2, 1) if halve else (1, 1, 0)
    return ConvUnit(
        in_channels,
        shape.channels,
        size,
        stride=stride,
        padding=padding,
        binary=False,
        affine=False,
    )
