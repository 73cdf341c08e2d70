"""One cell of a network: two inputs, four nodes, a concatenation and the inter-cell skip.

Shapes: C channels of a node. Inputs s0 (N, C_pp, H0, W0) and s1 (N, C_p, H, W), output
(N, 4C, H, W), or half of H and W from a reduction cell. States that are exactly zero (every edge
Zeroise, or a pool of zero) and whatever nobody reads are not computed; their parameters stay.
Zero states at the end of the output that no skip fills are left out of it, and of the next cells'
inputs (see `layers`): with the published CIFAR-10 cell, half the channels before the first
reduction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnas_deploy.nn.genotype import EDGES_PER_NODE, INPUT_STATES, NODES, Edge
from bnas_deploy.nn.layers import ConvUnit, Norms
from bnas_deploy.nn.primitives import OPS
from bnas_deploy.nn.shortcuts import build_shortcut

__all__ = [
    "Cell",
    "CellShape",
    "drop_samples",
    "zero_states",
]


_POOLS = (nn.MaxPool2d, nn.AvgPool2d)
_ZERO_OF_ZERO = frozenset({"max_pool_3x3", "avg_pool_3x3", "skip_connect"})
"""Primitives that make zeros of zeros; a skip_connect of a node's state has stride 1."""


@dataclass(frozen=True)
class CellShape:
    """Where a cell stands.

    Attributes:
        before_last: Channels of the output of the cell before the last (C_pp).
        last: Channels of the last cell's output (C_p).
        channels: Channels of a node (C).
        reduction: Whether it halves the resolution.
        after_reduction: Whether the last cell did.
        skip: Whether the inter-cell skip connection is there (not in the first cell, nor in a
            network without them).
        imagenet: Whether the names and affine parameters are those of the ImageNet networks.
        shortcut: How a reduction cell's skip halves the image; see `NetworkConfig`.
        zero_parts: Which of the four equal parts of the last cell's output are zero for every
            image. Left out of the tensor or not, no shortcut turns them into something else.
    """

    before_last: int
    last: int
    channels: int
    reduction: bool
    after_reduction: bool
    skip: bool
    imagenet: bool
    shortcut: str = "conv"
    zero_parts: frozenset[int] = frozenset()


class Cell(nn.Module):
    """A cell of the cell template T_B (paper, Section 4.1).

    Attributes:
        edges: The eight (primitive, source state) edges; edges 2i and 2i + 1 make state 2 + i.
        shape: Where the cell stands.
        preprocess0: Unit on s0: 1x1, or 3x3 of stride 2 after a reduction. A reduction cell of an
            ImageNet network calls it `preprocess0_red`; `inputs` finds it by either name.
        preprocess1: 1x1 unit on s1 (`preprocess1_red` likewise).
        preprocess_res: The `Shortcut` of a reduction cell; absent in other cells.
        zero_states: The states that are exactly zero for every input.
        used_states: The states that an edge worth computing reads.
        activation: What stands behind the output; None in the paper's networks.
        drop: How drop-path zeroes samples; `data_parallel.install` sets another way.
    """

    drop: Callable[[Tensor, float], Tensor]

    def __init__(self, edges: tuple[Edge, ...], shape: CellShape, *, binary: bool = True) -> None:
        super().__init__()
        self.edges = edges
        self.shape = shape
        self.drop = drop_samples
        self.zero_states = zero_states(edges)
        self.used_states = frozenset(
            source for name, source in edges if not _is_zero(name, source, self.zero_states)
        )
        suffix = "_red" if shape.imagenet and shape.reduction else ""
        self._input_names = (f"preprocess0{suffix}", f"preprocess1{suffix}")
        for name, unit in zip(self._input_names, _input_units(shape, binary), strict=True):
            self.add_module(name, unit)
        if shape.reduction and shape.skip:
            self.preprocess_res = build_shortcut(
                shape.shortcut,
                shape.last,
                NODES * shape.channels,
                zero_parts=shape.zero_parts,
                binary=binary,
            )
        self._ops = nn.ModuleList(
            OPS[name](shape.channels, _stride(source, shape.reduction), binary)
            for name, source in edges
        )
        self.activation: nn.Module | None = None

    @property
    def inputs(self) -> tuple[ConvUnit, ConvUnit]:
        """The units on s0 and s1."""
        return tuple(self.get_submodule(name) for name in self._input_names)  # type: ignore[return-value]

    @property
    def ops(self) -> nn.ModuleList:
        """The eight edges' modules; those of `none` edges exist but are never called."""
        return self._ops

    def forward(
        self, s0: Tensor, s1: Tensor, drop_path: float = 0.0, norms: Norms | None = None
    ) -> Tensor:
        """Compute the cell's output.

        Args:
            s0: Output of the cell before the last.
            s1: Output of the last cell.
            drop_path: Probability with which an edge's output is dropped for a sample, in training.
            norms: What units of earlier cells normalised, where they share BatchNorms.
        """
        norms = {} if norms is None else norms
        states: list[Tensor | None] = [
            unit(s, norms=norms) if index in self.used_states else None
            for index, (unit, s) in enumerate(zip(self.inputs, (s0, s1), strict=True))
        ]
        done: dict[Edge, Tensor] = {}
        for node in range(NODES):
            states.append(self._node(node, states, (done, norms), s1, drop_path))
        joined = self._join(states[INPUT_STATES:], s1)
        if self.activation is None:
            return joined
        y: Tensor = self.activation(joined)
        return y

    def _node(
        self,
        node: int,
        states: list[Tensor | None],
        memory: tuple[dict[Edge, Tensor], Norms],
        s1: Tensor,
        drop_path: float,
    ) -> Tensor | None:
        total = None
        for j in range(EDGES_PER_NODE * node, EDGES_PER_NODE * (node + 1)):
            name, source = self.edges[j]
            if _is_zero(name, source, self.zero_states):
                continue
            state = states[source]
            out = self._edge(j, self._zeros(s1) if state is None else state, *memory)
            if drop_path > 0 and self.training and not isinstance(self._ops[j], nn.Identity):
                out = self.drop(out, drop_path)
            total = out if total is None else total + out
        return total

    def _edge(self, j: int, source: Tensor, done: dict[Edge, Tensor], norms: Norms) -> Tensor:
        edge, op = self.edges[j], self._ops[j]
        if isinstance(op, ConvUnit):
            y: Tensor = op(source, norms=norms)
            return y
        # Pools have no weights: two edges with the same pool of the same state are one.
        if not isinstance(op, _POOLS) or edge not in done:
            done[edge] = op(source)
        return done[edge]

    def _join(self, nodes: list[Tensor | None], s1: Tensor) -> Tensor:
        channels = self.shape.channels
        sums = list(nodes)
        skip = self._skip(s1)
        if skip is not None:
            for index, part in enumerate(torch.split(skip, channels, dim=1)):
                node = sums[index]
                sums[index] = part if node is None else node + part
        while len(sums) > 1 and sums[-1] is None:
            sums.pop()
        return torch.cat([self._zeros(s1) if part is None else part for part in sums], dim=1)

    def _skip(self, s1: Tensor) -> Tensor | None:
        if not self.shape.skip:
            return None
        if not self.shape.reduction:
            return s1
        return self.preprocess_res(s1) if self.preprocess_res.live else None

    def _zeros(self, s1: Tensor) -> Tensor:
        batch, _, height, width = s1.shape
        if self.shape.reduction:
            height, width = (height + 1) // 2, (width + 1) // 2
        # In the memory format of s1: one tensor of another would spread through every skip.
        like = s1[:, :1, :1, :1].expand(batch, self.shape.channels, height, width)
        last = s1.is_contiguous(memory_format=torch.channels_last)
        memory_format = torch.channels_last if last else torch.contiguous_format
        return torch.zeros_like(like, memory_format=memory_format)


def drop_samples(x: Tensor, probability: float) -> Tensor:
    """Zero samples of x, (N, ...), with this probability; scale the others to keep the mean."""
    keep = 1.0 - probability
    mask = torch.empty(x.shape[0], 1, 1, 1, device=x.device, dtype=x.dtype).bernoulli_(keep)
    return x * mask / keep


def _is_zero(name: str, source: int, zero_states: frozenset[int]) -> bool:
    return name == "none" or (name in _ZERO_OF_ZERO and source in zero_states)


def zero_states(edges: tuple[Edge, ...]) -> frozenset[int]:
    """Return the states of a cell that are zero for every image, by their edges alone."""
    zero: frozenset[int] = frozenset()
    for node in range(NODES):
        own = edges[EDGES_PER_NODE * node : EDGES_PER_NODE * (node + 1)]
        if all(_is_zero(name, source, zero) for name, source in own):
            zero |= {INPUT_STATES + node}
    return zero


def _stride(source: int, reduction: bool) -> int:
    return 2 if reduction and source < INPUT_STATES else 1


def _input_units(shape: CellShape, binary: bool) -> tuple[ConvUnit, ConvUnit]:
    last = ConvUnit(shape.last, shape.channels, 1, binary=binary)
    if not shape.after_reduction:
        return ConvUnit(shape.before_last, shape.channels, 1, binary=binary), last
    halving = ConvUnit(
        shape.before_last,
        shape.channels,
        3,
        stride=2,
        padding=1,
        binary=binary,
        affine=shape.imagenet,
    )
    return halving, last
