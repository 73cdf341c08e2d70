"""Every backbone network in a small form with trained-looking numbers, for tests."""

from __future__ import annotations

from dataclasses import replace

import torch

from bnas_deploy.backbones.config import BackboneConfig
from bnas_deploy.backbones.network import BackboneNetwork
from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.backbones.schemes.base import SchemeConv2d
from bnas_deploy.networks.build import build_network
from support.random_networks import scramble

SMALL = [
    *(name for name, config in NETWORKS.items() if config.dataset == "cifar10"),
    *("xnor-resnet18-imagenet", "bireal18-imagenet"),
]
"""The other networks for ImageNet differ from theirs in stem and shortcuts, as these two do."""
_WIDTHS = {"nin": 12, "wrn40": 8, "resnext29": 4}
_BLOCKS = {"densenet": 2, "nin": 0}
_WHOLE = ("xnor-resnet18", "bireal18", "cbcn-resnet18", "xnor-wrn40", "binarynet-resnet18")
"""Networks that keep their depth; the others have one block a stage, or as above."""


def small_config(name: str) -> BackboneConfig:
    """A network of the registry, thin, for three classes and small images."""
    config = NETWORKS[name]
    return replace(
        config,
        channels=_WIDTHS.get(config.backbone, 4),
        layers=0 if name in _WHOLE else _BLOCKS.get(config.backbone, 1),
        classes=3,
        image_size=32 if config.dataset == "imagenet" else 8,
    )


def small_network(name: str, seed: int = 0, **changes: object) -> BackboneNetwork:
    """The same in evaluation mode, with parameters of all signs, and statistics as after training.

    The statistics are those of images, so that what the network answers depends on the image.
    """
    torch.manual_seed(seed)
    network = build_network(replace(small_config(name), **changes))
    scramble(network, seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, SchemeConv2d):
                for key, parameter in module.named_parameters():
                    if key != "weight":
                        parameter.add_(torch.randn_like(parameter), alpha=0.3)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None  # its statistics are plain means over the passes
                module.reset_running_stats()
        network.train()(small_images(network, 64, seed + 1))
    return network.eval()


def small_images(network: BackboneNetwork, count: int, seed: int = 0) -> torch.Tensor:
    """Normally distributed images in the network's dtype."""
    g = torch.Generator().manual_seed(seed)
    size = network.config.image_size
    images = torch.randn(count, 3, size, size, generator=g)
    return images.to(next(network.parameters()).dtype)
