"""Networks and recipes of the three budgets, for experiments that share them.

`smoke` shows that everything runs; its numbers mean nothing. A job of `cpu` takes minutes on one
core, so its accuracies are far below the paper's and can only be compared with each other. `paper`
is the paper's recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bnas_deploy.experiments.definition import Setup
from bnas_deploy.nn.config import NetworkConfig, get_config
from bnas_deploy.nn.genotype import Genotype
from bnas_deploy.training.recipes.recipe import RECIPES, Recipe

__all__ = [
    "ONE_SEED",
    "SMOKE",
    "SMOKE_SIDE",
    "cell_setup",
    "float_cell_setup",
    "full_recipe",
    "smoke_network",
    "smoke_setup",
]

SMOKE_SIDE = 8
"""Pixels of the generated images."""

ONE_SEED: Mapping[str, tuple[int, ...]] = {"smoke": (0,), "cpu": (0,), "paper": (0,)}

SMOKE = Recipe(epochs=2, batch=16, lr=0.05, drop_path=0.0, crop_padding=1)
CPU = Recipe(epochs=4, batch=128, lr=0.08, drop_path=0.0)
CPU_FLOAT_CELLS = Recipe(epochs=4, batch=64, lr=0.05, drop_path=0.0)


def smoke_network(network: NetworkConfig) -> NetworkConfig:
    """Return the smallest form of a network."""
    return replace(network, layers=3, channels=4, image_size=SMOKE_SIDE)


def smoke_setup(network: NetworkConfig, *, binary: bool = True, gradients: bool = False) -> Setup:
    """Return the smallest form of a network, for generated images."""
    return Setup(smoke_network(network), SMOKE, binary=binary, gradients=gradients, amp="off")


def full_recipe(network: NetworkConfig, *, binary: bool = True, gradients: bool = False) -> Setup:
    """Return a published network with the paper's recipe."""
    recipe = RECIPES[network.dataset]
    return Setup(network, recipe, binary=binary, gradients=gradients)


def cell_setup(
    budget: str,
    genotype: Genotype,
    *,
    full: str = "A",
    skips: bool = True,
    gradients: bool = False,
    binary: bool = True,
) -> Setup:
    """Return a network of some cell under a budget.

    Args:
        budget: One of `BUDGETS`; `cpu` is 8 cells of 8 channels, 8,192 images, 4 epochs.
        genotype: The cells.
        full: Whose size and recipe it has under `paper`.
        skips: Whether there are inter-cell skip connections.
        gradients: Whether to record gradients.
        binary: Whether it is binarized.
    """
    network = replace(get_config(full), genotype=genotype, skips=skips)
    if budget == "paper":
        return full_recipe(network, binary=binary, gradients=gradients)
    if budget == "smoke":
        return smoke_setup(network, binary=binary, gradients=gradients)
    small = replace(network, layers=8, channels=8)
    return Setup(
        small, CPU, binary=binary, gradients=gradients, train_images=8192, test_images=2000
    )


def float_cell_setup(
    budget: str, genotype: Genotype, *, skips: bool = False, binary: bool = True
) -> Setup:
    """Return a network of a cell of the float search space, or of another one beside it.

    Under `cpu` it is smaller than `cell_setup`: 6 cells, 4,096 images, batch 64; cells of separable
    convolutions take up to seven times as long as ours. Arguments are those of `cell_setup`.
    """
    setup = cell_setup(budget, genotype, skips=skips, binary=binary)
    if budget != "cpu":
        return setup
    small = replace(setup.network, layers=6)
    return replace(setup, network=small, recipe=CPU_FLOAT_CELLS, train_images=4096)
