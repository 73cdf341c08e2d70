"""Float networks that a user might take, for the rivals; their int8 is post-training quantization.

Weights are random: speed does not depend on them.
"""

from __future__ import annotations

from functools import cache

import networks
import torch
from torch import nn

from bnas_deploy.networks.build import build_network
from bnas_deploy.plain.registry import NETWORKS

__all__ = ["NAMES", "build"]

NAMES = {"ResNet-20": "resnet20", "ResNet-56": "resnet56"}
"""What a report calls them, and what the package does."""
SIZE, SEED = 32, 20


@cache
def build(name: str) -> nn.Module:
    """Build one of NAMES in evaluation mode, with the BatchNorm statistics of noise."""
    torch.manual_seed(SEED)
    network = build_network(NETWORKS[NAMES[name]], binary=False)
    networks.settle(network, torch.from_numpy(networks.images(SIZE, networks.CALIBRATION_IMAGES)))
    return network.eval()
