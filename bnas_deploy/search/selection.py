"""From probabilities to cells, with the transferability gamma (Eq. 5).

Shapes: probabilities (E, P): the fourteen edges of `SUPERNET_EDGES`, the primitives of the space.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.genotype import EDGES_PER_NODE, INPUT_STATES, NODES, Edge, Genotype
from bnas_deploy.search.space import SUPERNET_EDGES, ZEROISE, is_learnable

__all__ = [
    "Probabilities",
    "check_gamma",
    "gamma_name",
    "select_cell",
    "select_genotype",
    "share_columns",
    "shares",
]

Probabilities = npt.NDArray[np.floating]


def check_gamma(gamma: float) -> float:
    """Return gamma; infinity is allowed and never keeps Zeroise.

    Raises:
        ConfigError: It is not above 0.
    """
    if not gamma > 0:
        msg = f"gamma must be above 0 (inf: never keep Zeroise); got {gamma}"
        raise ConfigError(msg)
    return gamma


def select_cell(p: Probabilities, space: Sequence[str], gamma: float) -> tuple[Edge, ...]:
    """Choose a cell's eight edges.

    On each edge Zeroise's probability is divided by gamma and the largest wins (Eq. 5); each node
    keeps its two edges of largest winning value, the largest first. Of equal primitives the first
    of the space wins, of equal edges the one of the earlier state.

    Args:
        p: (E, P).
        space: The P names.
        gamma: Of Eq. 5.

    Raises:
        ConfigError: gamma is not above 0, or p is not (E, P).
    """
    check_gamma(gamma)
    if p.shape != (len(SUPERNET_EDGES), len(space)):
        expected = (len(SUPERNET_EDGES), len(space))
        msg = f"selection: expected probabilities of shape {expected}; got {p.shape}"
        raise ConfigError(msg)
    value = p.astype(np.float64)
    if ZEROISE in space:
        value[:, space.index(ZEROISE)] = _divided(value[:, space.index(ZEROISE)], gamma)
    best = value.argmax(axis=1)
    chosen: list[Edge] = []
    for node in range(INPUT_STATES, INPUT_STATES + NODES):
        own = [j for j, (target, _) in enumerate(SUPERNET_EDGES) if target == node]
        own.sort(key=lambda j: -float(value[j, best[j]]))  # stable: ties keep the order of states
        chosen += [(space[best[j]], SUPERNET_EDGES[j][1]) for j in own[:EDGES_PER_NODE]]
    return tuple(chosen)


def select_genotype(
    probabilities: Mapping[str, Probabilities], space: Sequence[str], gamma: float
) -> Genotype:
    """Choose both cells by Eq. 5; `probabilities` has the keys normal and reduce."""
    return Genotype(
        normal=select_cell(probabilities["normal"], space, gamma),
        reduce=select_cell(probabilities["reduce"], space, gamma),
    )


def shares(genotype: Genotype) -> tuple[float, float]:
    """Return the shares of the 16 edges of both cells that are learnable, and that are Zeroise."""
    names = [name for name, _ in (*genotype.normal, *genotype.reduce)]
    learnable = sum(is_learnable(name) for name in names)
    return learnable / len(names), names.count(ZEROISE) / len(names)


def gamma_name(gamma: float) -> str:
    """Return gamma as it stands in names of files and columns: `1`, `0.5`, `inf`."""
    return f"{gamma:g}"


def share_columns(chosen: Mapping[float, Genotype]) -> dict[str, float]:
    """Return the shares of `shares` as columns of the metrics, by gamma."""
    row: dict[str, float] = {}
    for gamma, genotype in chosen.items():
        learnable, zeroise = shares(genotype)
        row[f"learnable_gamma_{gamma_name(gamma)}"] = learnable
        row[f"zeroise_gamma_{gamma_name(gamma)}"] = zeroise
    return row


def _divided(zeroise: Probabilities, gamma: float) -> Probabilities:
    # Below every other probability, even one that has underflowed to zero.
    return np.full_like(zeroise, -1.0) if math.isinf(gamma) else zeroise / gamma
