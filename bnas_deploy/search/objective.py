"""The search objective: cross-entropy less the annealed entropy of the choice.

Shapes: architecture parameters (E, P): edges and primitives; logits (N, classes).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "diversity_weight",
    "edge_entropies",
    "mean_entropy",
    "search_loss",
]


def edge_entropies(alphas: Tensor) -> Tensor:
    """Return H(p) = -sum p log p of each edge, (E,) in nats, with p the softmax of `alphas`."""
    log_p = functional.log_softmax(alphas, dim=1)
    return -(log_p.exp() * log_p).sum(dim=1)


def mean_entropy(alphas: Iterable[Tensor]) -> Tensor:
    """Return H(p) of Eq. 6: the mean entropy per edge over the edges of all cells given."""
    return torch.cat([edge_entropies(cell) for cell in alphas]).mean()


def diversity_weight(diversity: float, tau: float, epoch: float) -> float:
    """Return lambda * exp(-t / tau), what H(p) is multiplied by in Eq. 6; t is `epoch`, from 0."""
    return diversity * math.exp(-epoch / tau)


def search_loss(
    cross_entropy: Tensor, alphas: Iterable[Tensor], *, diversity: float, tau: float, epoch: float
) -> Tensor:
    """Return the objective of Eq. 6: L_S - lambda * H(p) * exp(-t / tau).

    Args:
        cross_entropy: L_S, a scalar.
        alphas: Architecture parameters of the normal and the reduction cell.
        diversity: lambda.
        tau: In epochs.
        epoch: t, counted from 0.
    """
    return cross_entropy - diversity_weight(diversity, tau, epoch) * mean_entropy(alphas)
