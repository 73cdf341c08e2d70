"""A network of random weights as a packed model; its time does not depend on the weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_torch.convert import convert_network
from bnas_deploy.format import PackedModel
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.network import build_network

__all__ = ["pack_random"]

CALIBRATION_IMAGES = 1


def pack_random(
    config: NetworkConfig, *, eight_bit: Sequence[str] = (), seed: int = 0
) -> PackedModel:
    """Build a network with random weights, and pack it.

    Args:
        config: The network.
        eight_bit: Kinds of layers to put into 8 bits.
        seed: Of the weights.
    """
    options = None
    if eight_bit:
        rng = np.random.default_rng(seed)
        shape = (CALIBRATION_IMAGES, 3, config.image_size, config.image_size)
        options = EightBitOptions(tuple(eight_bit), rng.standard_normal(shape, dtype=np.float32))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(config).eval()
        _settle(network)
    return convert_network(network, eight_bit=options)[0]


def _settle(network: nn.Module) -> None:
    """Give BatchNorms statistics as after training.

    Fresh ones would let comparisons of the same value coincide, and those of what passed a ReLU be
    the same for every image; the converter would then leave them out.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
                assert module.running_var is not None
                module.running_mean.normal_(0.2, 0.4)
                module.running_var.uniform_(0.05, 2.0)
                if module.affine:
                    module.weight.normal_()
                    module.bias.normal_(0.0, 0.5)
