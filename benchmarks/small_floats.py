"""Float networks that a user might take, for the rivals; their int8 is post-training quantization.

Weights are random: speed does not depend on them.
"""

from __future__ import annotations

from functools import cache

from torch import nn

from bnas_deploy.plain.registry import NETWORKS
from bnas_deploy.rivals.random_weights import random_network

__all__ = ["NAMES", "build"]

NAMES = {"ResNet-20": "resnet20", "ResNet-56": "resnet56"}
"""What a report calls them, and what the package does."""
SIZE = 32


@cache
def build(name: str) -> nn.Module:
    """Build one of NAMES in evaluation mode, with the BatchNorm statistics of noise."""
    return random_network(NETWORKS[NAMES[name]], binary=False)
