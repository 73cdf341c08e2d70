"""Small binary networks with random genotypes and trained-looking statistics, for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from bnas_deploy.nn.activations import CellPReLU, Shift
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import (
    EDGES,
    EDGES_PER_NODE,
    INPUT_STATES,
    LATEST_CELL,
    LATEST_CELL_ZEROISE,
    PRIMITIVES,
    Genotype,
)
from bnas_deploy.nn.network import Network, build_network


def random_genotype(rng: np.random.Generator, zeroise: float = 0.3) -> Genotype:
    """Any cell of the search space; each edge is Zeroise with probability `zeroise`."""

    def edges() -> tuple[tuple[str, int], ...]:
        found = []
        for j in range(EDGES):
            name = "none" if rng.random() < zeroise else str(rng.choice(PRIMITIVES[1:]))
            found.append((name, int(rng.integers(INPUT_STATES + j // EDGES_PER_NODE))))
        return tuple(found)

    return Genotype(edges(), edges())


def scramble(network: nn.Module, seed: int) -> None:
    """Give BatchNorms statistics as after training, with negative and zero weights among them.

    Shifts and slopes get numbers, too.
    """
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                c = module.num_features
                module.running_mean.copy_(torch.randn(c, generator=g) * 0.4 + 0.2)
                module.running_var.copy_(torch.rand(c, generator=g) * 2 + 0.05)
                if module.weight is not None:
                    module.weight.copy_(torch.randn(c, generator=g))
                    module.bias.copy_(torch.randn(c, generator=g) * 0.5)
                    module.weight[seed % c] = 0.0
            if isinstance(module, Shift):
                module.shift.copy_(torch.randn(len(module.shift), generator=g) * 0.5)
            if isinstance(module, CellPReLU):
                module.weight.copy_(torch.randn(len(module.weight), generator=g) * 0.5)


def random_network(
    seed: int, *, zeroise: float = 0.3, double: bool = False, **options: Any
) -> Network:
    """One network in evaluation mode; the seed chooses cells, stem, depth, width and weights.

    `options` are further fields of the configuration, or other values for those chosen.
    """
    rng = np.random.default_rng(seed)
    genotype = (
        (LATEST_CELL_ZEROISE, LATEST_CELL)[seed] if seed < 2 else random_genotype(rng, zeroise)
    )
    dataset = ("cifar10", "imagenet")[int(rng.integers(3) == 0)]
    config = NetworkConfig(
        name=f"random {seed}",
        layers=int(rng.integers(3, 9)),
        channels=int(rng.choice([4, 12] if dataset == "imagenet" else [4, 5, 12])),
        genotype=genotype,
        dataset=dataset,
        classes=max(2, int(rng.integers(1, 12))),
        image_size=32 if dataset == "imagenet" else int(rng.choice([8, 12])),
    )
    config = replace(config, **options)
    torch.manual_seed(seed)
    network = build_network(config).eval()
    scramble(network, seed)
    return network.double() if double else network


def images_for(network: Network, count: int, seed: int) -> torch.Tensor:
    """Normally distributed images in the network's dtype."""
    g = torch.Generator().manual_seed(seed)
    size = network.config.image_size
    dtype = next(network.parameters()).dtype
    return torch.randn(count, 3, size, size, generator=g, dtype=dtype)
