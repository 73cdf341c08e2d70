"""The backbone networks by name, as in the paper's Tables 6 and 7."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.backbones.config import BACKBONES, BackboneConfig

__all__ = ["NETWORKS"]

_BASES = {"abc": 3}
"""Where it is not one. (Tables 6 and 7 compare ABC-Net and PCNN with a single base.)"""

_CHANNELS = {"binary-duo": 48}
"""Where they are not the backbone's: with twice the weights a channel, nearly as many weights."""

_PAIRS = (
    *(("xnor", name) for name in ("resnet18", "resnet34", "wrn40", "densenet", "nin")),
    *(("xnor", name) for name in ("senet18", "resnext29")),
    ("binarynet", "resnet18"),
    *(("bireal", name) for name in ("bireal18", "bireal20", "bireal34")),
    *(("abc", name) for name in ("resnet18", "resnet34")),
    ("pcnn", "resnet18"),
    *(("cbcn", name) for name in ("resnet18", "bireal18")),
    ("xnor-plus", "resnet18"),
    ("bonn", "bireal18"),
    ("binary-duo", "resnet18"),
)
"""Scheme and backbone."""

_ON_CIFAR10_ONLY = {"bireal20", "wrn40", "densenet", "nin", "senet18", "resnext29"}
"""Backbones for small images, or that the paper does not train on ImageNet."""

_BINARY_DOWNSAMPLING = {"xnor", "binarynet", "abc"}
"""Schemes whose ImageNet networks have binary shortcuts (paper, Section 5.4)."""

_BINARY_EVERYWHERE = {"resnext29"}
"""Backbones whose CIFAR-10 networks have them too: its shortcuts are wide, and the paper's FLOPs
leave no room for float ones."""


def _cifar10(scheme: str, backbone: str) -> BackboneConfig:
    name = backbone if backbone.startswith(scheme) else f"{scheme}-{backbone}"
    return BackboneConfig(
        *(name, backbone, scheme, _CHANNELS.get(scheme, BACKBONES[backbone])),
        bases=_BASES.get(scheme, 1),
        downsampling="binary" if backbone in _BINARY_EVERYWHERE else "float",
    )


def _imagenet(config: BackboneConfig) -> BackboneConfig:
    downsampling = "binary" if config.scheme in _BINARY_DOWNSAMPLING else "float"
    return replace(
        config,
        name=f"{config.name}-imagenet",
        downsampling=downsampling,
        dataset="imagenet",
        classes=1000,
        image_size=224,
    )


def _networks() -> list[BackboneConfig]:
    small = [_cifar10(*pair) for pair in _PAIRS]
    large = [_imagenet(c) for c in small if c.backbone not in _ON_CIFAR10_ONLY]
    return [*small, *large]


NETWORKS: dict[str, BackboneConfig] = {config.name: config for config in _networks()}
"""Scheme and backbone with a dash between, `-imagenet` behind for those with that stem."""
