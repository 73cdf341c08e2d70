"""Tables 6 and 7, the rows of others: binary networks of other families."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.backbones.registry import NETWORKS
from bnas_deploy.experiments.budgets import ONE_SEED, SMOKE, SMOKE_SIDE
from bnas_deploy.experiments.definition import (
    TEST_ACCURACY,
    Cells,
    Experiment,
    Metric,
    Setup,
    Variant,
)
from bnas_deploy.experiments.measuring.packed import with_8_bits
from bnas_deploy.experiments.running.same_runs import ablation
from bnas_deploy.training.recipes.recipe import RECIPES, Recipe

__all__ = ["BACKBONE_NETWORKS"]

CPU = Recipe(epochs=4, batch=128, lr=0.08, drop_path=0.0)
WIDTHS = {"nin": 48, "densenet": 8, "resnext29": 4}
"""Channels under `cpu` where they are not 16."""
BLOCKS = {"densenet": 3, "resnext29": 2}
"""Blocks of a stage under `cpu` where they are not those published."""
TOO_SLOW = ("abc-resnet34",)
"""For a few minutes on one core."""
NOT_COMPARED = ("bireal20",)
"""Backbones that the paper's tables do not have."""

LABELS = {
    "resnet18": "ResNet-18", "resnet34": "ResNet-34", "bireal18": "Bi-Real Net 18",
    "bireal34": "Bi-Real Net 34", "wrn40": "WRN-40", "densenet": "DenseNet", "nin": "NiN",
    "xnor": "XNOR-Net", "binarynet": "BinaryNet", "bireal": "Bi-Real", "abc": "ABC-Net, 3 bases",
    "senet18": "SE-ResNet-18", "resnext29": "ResNeXt-29", "xnor-plus": "XNOR-Net++",
    "pcnn": "PCNN", "cbcn": "CBCN", "bonn": "BONN", "binary-duo": "BinaryDuo",
}  # fmt: skip

CIFAR10 = {
    "xnor-resnet18": "88.82",
    "xnor-densenet": "85.16",
    "xnor-nin": "86.28",
    "xnor-resnet34": "88.54",
    "xnor-wrn40": "91.58",
    "xnor-senet18": "88.12",
    "xnor-resnext29": "84.27",
    "binarynet-resnet18": "89.95",
    "pcnn-resnet18": "94.31; 89.16 with 16 channels",
    "cbcn-resnet18": "91.91",
}
IMAGENET = {
    "xnor-resnet18": "51.20 (73.20)",
    "xnor-resnet34": "56.49 (79.13)",
    "binarynet-resnet18": "42.20 (67.10)",
    "bireal18": "56.40 (79.50)",
    "bireal34": "62.20 (83.90)",
    "abc-resnet18": "42.70 (67.60)",
    "abc-resnet34": "52.40 (76.50)",
    "pcnn-resnet18": "57.30 (80.00)",
    "cbcn-bireal18": "61.40 (82.80)",
    "xnor-plus-resnet18": "57.10 (79.90)",
    "bonn-bireal18": "59.30 (81.60)",
    "binary-duo-resnet18": "60.40 (82.30)",
}
"""Top-1 and top-5, as the paper prints them."""


def _setup(budget: str, name: str) -> Setup | None:
    network = NETWORKS[name]
    if budget == "paper":
        return Setup(network, replace(RECIPES[network.dataset], drop_path=0.0))
    if budget == "smoke":
        layers = 0 if network.backbone == "nin" else 1
        small = replace(network, channels=4, layers=layers, image_size=SMOKE_SIDE)
        return Setup(small, SMOKE, amp="off")
    if name in TOO_SLOW:
        return None
    backbone = network.backbone
    small = replace(network, channels=WIDTHS.get(backbone, 16), layers=BLOCKS.get(backbone, 0))
    return Setup(small, CPU, train_images=8192, test_images=2000)


def _variant(budget: str, name: str) -> Variant:
    config = NETWORKS[name]
    large = config.dataset == "imagenet"
    short = name.removesuffix("-imagenet")
    accuracy = (IMAGENET if large else CIFAR10).get(short)
    return Variant(
        name,
        f"{LABELS[config.scheme]} ({LABELS[config.backbone]})" + (", ImageNet" if large else ""),
        _setup(budget, name),
        needs="the budget paper",
        paper={"test_accuracy": accuracy} if accuracy else {},
        facts={} if large else {"ImageNet, paper": IMAGENET.get(short, "-")},
    )


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    names = [
        name
        for name, config in NETWORKS.items()
        if config.backbone not in NOT_COMPARED
        and (budget == "paper" or config.dataset == "cifar10")
    ]
    bnas = ablation(budget, cells, "full", label="BNAS", paper={"test_accuracy": "92.70"})
    return (bnas, *(_variant(budget, name) for name in names))


BACKBONE_NETWORKS = Experiment(
    name="backbones",
    title="Networks of other families",
    answers=("Table 6", "Table 7"),
    question="How accurate are the binary networks that the paper compares with, trained here?",
    metrics=(
        TEST_ACCURACY,
        Metric("packed_accuracy", "packed file"),
        Metric("packed_8bit_accuracy", "packed file, 8-bit shortcuts"),
    ),
    variants=_variants,
    seeds=ONE_SEED,
    notes=(
        "What each network is, and how it differs from its paper: backbones.md. All are trained by"
        " one recipe, from random weights; the paper cites most of these numbers, and some come"
        " from pretraining. Its PCNN with 94.31% is pretrained, its Bi-Real networks have 32.90%"
        " and 53.10% on ImageNet with the architecture alone. Under `cpu` the networks are thin:"
        " 16 channels in the first stage (NiN: 48; DenseNet: growth 8, three blocks a stage;"
        " ResNeXt: groups of 4, two blocks a stage)."
    ),
    measure=with_8_bits,
)
