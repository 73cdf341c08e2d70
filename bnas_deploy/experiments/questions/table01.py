"""Table 1: which layer types survive binarization, in a small CNN of one type."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.experiments.budgets import SMOKE_SIDE, smoke_setup
from bnas_deploy.experiments.definition import (
    TEST_ACCURACY,
    TRAIN_ACCURACY,
    Cells,
    Experiment,
    Picture,
    Setup,
    Variant,
)
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import EDGES, Genotype
from bnas_deploy.training.recipes.recipe import RECIPES, Recipe

__all__ = ["TABLE1"]

TYPES = {
    "conv3": ("bin_conv_3x3", "Conv 3×3", "61.78", "46.15"),
    "conv5": ("bin_conv_5x5", "Conv 5×5", "60.14", "42.53"),
    "dil3": ("bin_dil_conv_3x3", "Dil. Conv 3×3", "56.97", "41.02"),
    "dil5": ("bin_dil_conv_5x5", "Dil. Conv 5×5", "55.17", "37.68"),
    "sep3": ("bin_sep_conv_3x3", "Sep. Conv 3×3", "56.38", "10.00"),
    "sep5": ("bin_sep_conv_5x5", "Sep. Conv 5×5", "57.00", "10.00"),
}
"""Primitive, label, the paper's float and binary test accuracy."""


def _network(primitive: str) -> NetworkConfig:
    edges = ((primitive, 0),) * EDGES
    return NetworkConfig("Table 1", 3, 32, Genotype(edges, edges), template="stack")


def _setup(budget: str, network: NetworkConfig, *, binary: bool) -> Setup:
    if budget == "smoke":
        small = smoke_setup(network, binary=binary)
        return replace(small, network=replace(network, channels=4, image_size=SMOKE_SIDE))
    if budget == "paper":
        # The paper does not say how these were trained; its learning rates, and a hundred epochs.
        recipe = replace(RECIPES["cifar10"], epochs=100, drop_path=0.0)
        return Setup(network, recipe, binary=binary)
    recipe = Recipe(epochs=2, batch=128, lr=0.08, drop_path=0.0)
    return Setup(network, recipe, binary=binary, train_images=20_000)


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    found = []
    for name, (primitive, label, floats, binary) in TYPES.items():
        network = _network(primitive)
        kinds = {f"{name}-float": (f"{label}, float", network, False, floats)}
        kinds[f"{name}-binary"] = (f"{label}, binary", network, True, binary)
        if name.startswith("sep"):
            centred = replace(network, centre_depthwise=True)
            kinds[f"{name}-centred"] = (f"{label}, binary, centred", centred, True, binary)
        for key, (text, config, is_binary, paper) in kinds.items():
            setup = _setup(budget, config, binary=is_binary)
            found.append(Variant(key, text, setup, paper={"test_accuracy": paper}))
    return tuple(found)


TABLE1 = Experiment(
    name="table1",
    title="Layer types, float and binary",
    answers=("Table 1",),
    question="Which layer types can be binarized, in a network of nothing else?",
    metrics=(TEST_ACCURACY, TRAIN_ACCURACY),
    variants=_variants,
    seeds={"smoke": (0,), "cpu": (0, 1), "paper": (0, 1, 2)},
    notes=(
        "Three layers of the type (BatchNorm, sign, convolution, ReLU; without the sign if float),"
        " each followed by 2×2 max pooling, then three float linear layers. The paper states"
        " neither widths (here 32 channels; 120, 84) nor pooling nor recipe. *Centred* applies the"
        " release's rule for latent weights literally to depthwise convolutions too, which makes"
        " them zero (schemes.md)."
    ),
    pictures=(
        Picture("table1", "bars", "Test accuracy by layer type; crosses: the paper's values."),
    ),
)
