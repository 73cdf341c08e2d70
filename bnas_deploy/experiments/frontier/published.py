"""Accuracies on CIFAR-10 as published, each network trained by the full recipe of its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bnas_deploy.backbones.registry import NETWORKS as BACKBONES
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.nn.config import get_config
from bnas_deploy.plain.registry import NETWORKS as PLAIN

__all__ = ["PUBLISHED", "SOURCES", "Published"]

SOURCES: Mapping[str, str] = {
    "bnas": (
        "Kim, Singh and Choi, *Learning Architectures for Binary Networks*, ECCV 2020, Tables 6 and"
        " 7; the rows of other families are that paper's figures for them. How many projections its"
        " PCNN has it does not say; here it has one, so its time is a lower bound"
    ),
    "irnet": (
        "Qin et al., *Forward and Backward Information Retention for Accurate Binary Neural"
        " Networks*, CVPR 2020, in the table of <https://github.com/htqin/IR-Net>; the steps here"
        " are those of Bi-Real Net's structure, which it uses, without its hardtanh"
    ),
    "he": (
        "He et al., *Deep Residual Learning for Image Recognition*, CVPR 2016, Table 6 (errors of"
        " 8.75, 7.51, 7.17 and 6.97%), as <https://github.com/akamaster/pytorch_resnet_cifar10>"
        " repeats it; its shortcuts have no weights, here they are 1×1 convolutions"
    ),
    "mlperf": (
        "about, for the reference network of MLPerf Tiny (Banbury et al. 2021), whose quality"
        " target is 85% (<https://mlcommons.org/en/inference-tiny-05>)"
    ),
    "zoo": (
        "the model zoo <https://github.com/chenyaofo/pytorch-cifar-models>; its recipe is newer"
        " than that of He et al., and gives their networks of 20, 32, 44 and 56 layers 92.60,"
        " 93.53, 94.01 and 94.37%"
    ),
}


@dataclass(frozen=True)
class Published:
    """A network with the accuracy that its source gives.

    Attributes:
        key: In files.
        label: On the page.
        accuracy: Of the test images, in percent; None: no source was found for this network.
        source: One of `SOURCES`, or nothing.
        config: What is measured here.
        binary: Whether it is a binary network.
    """

    key: str
    label: str
    accuracy: float | None
    source: str
    config: AnyConfig
    binary: bool


def _bnas(size: str, accuracy: float) -> Published:
    config = replace(get_config(size), shortcut="conv")
    return Published(f"bnas-{size.lower()}", f"BNAS-{size}", accuracy, "bnas", config, binary=True)


def _pooled(size: str) -> Published:
    config = replace(get_config(size), shortcut="pool1x1")
    label = f"BNAS-{size}, `pool1x1`"
    accuracy = _ACCURACIES[size]
    return Published(f"bnas-{size.lower()}-pool1x1", label, accuracy, "bnas", config, binary=True)


def _backbone(name: str, label: str, accuracy: float, source: str = "bnas") -> Published:
    return Published(name, label, accuracy, source, BACKBONES[name], binary=True)


def _plain(name: str, label: str, accuracy: float | None, source: str = "") -> Published:
    return Published(name, label, accuracy, source, PLAIN[name], binary=False)


_ACCURACIES = {"Mini": 90.12, "A": 92.70, "B": 93.76}
_PCNN16 = replace(BACKBONES["pcnn-resnet18"], channels=16)

PUBLISHED: tuple[Published, ...] = (
    *(_bnas(size, accuracy) for size, accuracy in _ACCURACIES.items()),
    *(_pooled(size) for size in _ACCURACIES),
    _backbone("bireal20", "IR-Net, ResNet-20", 86.5, "irnet"),
    _backbone("bireal18", "IR-Net, ResNet-18", 91.5, "irnet"),
    _backbone("xnor-nin", "XNOR-Net, NiN", 86.28),
    _backbone("xnor-resnet18", "XNOR-Net, ResNet-18", 88.82),
    _backbone("xnor-wrn40", "XNOR-Net, WRN-40", 91.58),
    _backbone("binarynet-resnet18", "BinaryNet, ResNet-18", 89.95),
    Published("pcnn-16", "PCNN, 16 channels", 89.16, "bnas", _PCNN16, binary=True),
    _backbone("cbcn-resnet18", "CBCN, ResNet-18", 91.91),
    _plain("resnet8", "ResNet-8", 87.0, "mlperf"),
    _plain("resnet14", "ResNet-14", None),
    _plain("resnet20", "ResNet-20", 91.25, "he"),
    _plain("resnet32", "ResNet-32", 92.49, "he"),
    _plain("resnet44", "ResNet-44", 92.83, "he"),
    _plain("resnet56", "ResNet-56", 93.03, "he"),
    _plain("mobilenetv2-x0.5", "MobileNetV2 ×0.5", 92.88, "zoo"),
    _plain("mobilenetv2-x1.0", "MobileNetV2 ×1.0", 93.79, "zoo"),
    _plain("mobilenetv2-x0.25", "MobileNetV2 ×0.25", None),
    _plain("ds-cnn", "DS-CNN", None),
)
