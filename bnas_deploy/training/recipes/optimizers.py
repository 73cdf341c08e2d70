"""The optimizers that recipes name: building one, setting its rate, checking a saved state."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from bnas_deploy.training.recipes.recipe import Recipe

__all__ = ["make_optimizer", "misfit", "set_rate"]

_ADAM_BETA2 = 0.999


def make_optimizer(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the recipe's optimizer at its start."""
    lr, momentum, decay = recipe.lr, recipe.momentum, recipe.weight_decay
    if recipe.optimizer == "adam":
        betas = momentum, _ADAM_BETA2
        return torch.optim.Adam(parameters, lr=lr, betas=betas, weight_decay=decay)
    return torch.optim.SGD(parameters, lr=lr, momentum=momentum, weight_decay=decay)


def set_rate(optimizer: torch.optim.Optimizer, rate: float, momentum: float) -> None:
    """Set the learning rate and the momentum (Adam's first beta) of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = rate
        if "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        else:
            group["momentum"] = momentum


def misfit(optimizer: torch.optim.Optimizer) -> str | None:
    """Return what is wrong with the shapes of a state that was loaded; None if nothing is.

    PyTorch notices them in the first step only.
    """
    for parameter, state in optimizer.state.items():
        for name in ("momentum_buffer", "exp_avg", "exp_avg_sq"):
            value = state.get(name)
            if value is not None and value.shape != parameter.shape:
                shapes = tuple(parameter.shape), tuple(value.shape)
                return f"expected {name} of shape {shapes[0]}; got {shapes[1]}"
    return None
