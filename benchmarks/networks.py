"""The networks that are measured, binary and float; their weights are random, nothing is trained.

Speed does not depend on the weights; BatchNorm statistics are settled so that signs vary.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from bnas_deploy.nn.config import get_config
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.nn.network import Network, build_network

__all__ = ["build", "images"]

SEED = 20


def images(size: int, count: int = 1) -> np.ndarray:
    """Normalised noise, float32 (count, 3, size, size)."""
    rng = np.random.default_rng(SEED)
    return rng.standard_normal((count, 3, size, size), dtype=np.float32)


@cache
def build(name: str, *, zeroise: bool = True, binary: bool = True) -> Network:
    """Build a network in evaluation mode.

    Args:
        name: Configuration, "Mini" or "A" to "H".
        zeroise: False takes the cell `latest_cell`, the paper's network without Zeroise (Table 10).
        binary: False gives the float counterpart.
    """
    config = get_config(name)
    if not zeroise:
        config = replace(config, genotype=LATEST_CELL)
    torch.manual_seed(SEED)
    network = build_network(config, binary=binary)
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.momentum = 1.0  # the statistics of the one pass below, unmixed
            if norm.affine:  # as training leaves them; equal ones would be merged at export
                norm.weight.uniform_(0.5, 1.5)
                norm.bias.normal_(std=0.3)
        network.train()(torch.from_numpy(images(config.image_size, 4)))
    return network.eval()
