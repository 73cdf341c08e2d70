"""All mixed edges out of one state at once: the same as one after another, several times faster.

Without affine parameters a BatchNorm of the same state is the same on every edge, and so are the
sign behind it and the pools. They are computed once. The convolutions of one kind become one with
the filters of all edges; the probability, which is not negative, passes through ReLU into them.
Shapes: x (N, C, H, W); T edges, P primitives.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bnas_deploy.nn.layers import BinaryConv2d, ConvUnit, convolve
from bnas_deploy.search.mixed import MixedEdge

__all__ = [
    "mix_state",
    "share_norms",
]


def share_norms(edges: Sequence[MixedEdge]) -> None:
    """Let edges out of one state have the same modules where those compute the same.

    These are the BatchNorms of single convolutions, and the pools with theirs.
    """
    first = edges[0]
    units = [op for edge in edges for op in edge.ops.values() if isinstance(op, ConvUnit)]
    for unit in units:
        unit.bn = units[0].bn
    for edge in edges[1:]:
        for name in first.ops:
            if _is_pool(name):
                edge.ops[name] = first.ops[name]


def mix_state(edges: Sequence[MixedEdge], x: Tensor, p: Tensor) -> Sequence[Tensor]:
    """Return what each of the edges makes of x.

    Args:
        edges: Edges out of one state that have passed `share_norms`, of one stride.
        x: The state.
        p: (T, P), a row of probabilities for each edge.

    Returns:
        T tensors (N, C, H / stride, W / stride).
    """
    space = edges[0].space
    signs = _signs(edges[0], x)
    parts = []
    for name, first in edges[0].ops.items():
        weight = p[:, space.index(name)]
        ops = [edge.ops[name] for edge in edges]
        if _is_pool(name):
            pooled = first(x)
            parts.append(torch.cat([weight[t] * pooled for t in range(len(ops))], dim=1))
        elif isinstance(first, ConvUnit) and signs is not None:
            parts.append(_convolve_together(ops, signs, weight))
        else:
            parts.append(torch.cat([weight[t] * op(x) for t, op in enumerate(ops)], dim=1))
    total: Tensor = sum(parts[1:], parts[0])
    return torch.split(total, total.shape[1] // len(edges), dim=1)


def _is_pool(name: str) -> bool:
    return "pool" in name


def _signs(edge: MixedEdge, x: Tensor) -> Tensor | None:
    unit = next((op for op in edge.ops.values() if isinstance(op, ConvUnit)), None)
    return None if unit is None else unit.normalise(unit.bn, x, binary=True)


def _convolve_together(ops: Sequence[nn.Module], signs: Tensor, weight: Tensor) -> Tensor:
    filters = []
    for t, unit in enumerate(ops):
        assert isinstance(unit, ConvUnit)
        assert isinstance(unit.conv, BinaryConv2d)
        filters.append(weight[t] * unit.conv.effective_weight())
        conv, rectify = unit.conv, unit.rectify
    return rectify(convolve(conv, signs, torch.cat(filters), None))
