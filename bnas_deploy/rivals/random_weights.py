"""Networks of random weights and noise for pictures: speed depends on neither."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from bnas_deploy.networks.build import AnyNetwork, build_network
from bnas_deploy.networks.config import AnyConfig

__all__ = ["CALIBRATION_IMAGES", "SEED", "noise", "random_network", "settle"]

SEED = 20
CALIBRATION_IMAGES = 16


def noise(size: int, count: int = 1) -> npt.NDArray[np.float32]:
    """Return normalised noise, float32 (count, 3, size, size); the same in every call."""
    rng = np.random.default_rng(SEED)
    return rng.standard_normal((count, 3, size, size), dtype=np.float32)


def random_network(config: AnyConfig, *, binary: bool) -> AnyNetwork:
    """Build a network in evaluation mode, with the BatchNorm statistics of noise."""
    torch.manual_seed(SEED)
    network = build_network(config, binary=binary)
    settle(network, torch.from_numpy(noise(config.image_size, CALIBRATION_IMAGES)))
    return network.eval()


def settle(network: nn.Module, batch: torch.Tensor) -> None:
    """Give BatchNorm layers the statistics of one pass of `batch`, and random scales and shifts."""
    with torch.no_grad():
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                norm.momentum = 1.0  # the statistics of the one pass below, unmixed
                if norm.affine:  # as training leaves them; equal ones would be merged at export
                    norm.weight.uniform_(0.5, 1.5)
                    norm.bias.normal_(std=0.3)
        network.train()(batch)
