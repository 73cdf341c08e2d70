"""The two steps that a search alternates, with their optimizers (first order). No epochs, no data.

Shapes: inputs (N, ...), labels (N,), logits (N, classes).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.errors import TrainingError
from bnas_deploy.nn.layers import BinaryConv2d
from bnas_deploy.search.objective import search_loss
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.training.fault import first_fault

__all__ = [
    "ARCH_BETAS",
    "Alternation",
    "Outcome",
    "SearchNetwork",
    "weight_rate",
]

ARCH_BETAS = (0.5, 0.999)
"""Of Adam on the architecture parameters (those of DARTS, as the paper says)."""

Outcome = tuple[float, int]
"""A batch's mean cross-entropy, and how many images were classified correctly."""


class SearchNetwork(Protocol):
    """What can be searched in; `Supernet` is one."""

    alphas: nn.ParameterDict

    def weights(self) -> list[nn.Parameter]:
        """Return the parameters of the weight step."""

    def modules(self) -> Iterator[nn.Module]:
        """Return all modules, as `nn.Module` does."""

    def named_modules(self) -> Iterator[tuple[str, nn.Module]]:
        """Return all modules with their names, as `nn.Module` does."""


class Alternation:
    """Alternates one step on the architecture parameters and one on the weights (Section 4.3).

    Attributes:
        network: Being searched in.
        recipe: Rates, decays, lambda and tau.
        weight_optimizer: SGD with momentum.
        arch_optimizer: Adam.
    """

    def __init__(
        self,
        network: SearchNetwork,
        recipe: SearchRecipe,
        forward: Callable[[Tensor], Tensor],
    ) -> None:
        """Take a network, a recipe, and how inputs become logits (float32)."""
        self.network = network
        self.recipe = recipe
        self._forward = forward
        self.weight_optimizer = torch.optim.SGD(
            network.weights(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
        )
        self.arch_optimizer = torch.optim.Adam(
            list(network.alphas.values()),
            lr=recipe.arch_lr,
            betas=ARCH_BETAS,
            weight_decay=recipe.arch_weight_decay,
        )

    def architecture_step(
        self, inputs: Tensor, labels: Tensor, *, epoch: int, step: int
    ) -> Outcome:
        """Move the architecture parameters down the gradient of Eq. 6; the weights stay.

        The derivative with respect to the weights' own answer is left out: first order.

        Args:
            inputs: Of the architecture's half.
            labels: Theirs.
            epoch: t of Eq. 6, counted from 0.
            step: Of the epoch, counted from 0; for the message.

        Raises:
            TrainingError: The loss is not a number.
        """
        with _latent_weights_held(self.network):
            loss, outcome = self._loss(inputs, labels, f"architecture {_moment(epoch, step)}")
        alphas = list(self.network.alphas.values())
        objective = search_loss(
            loss, alphas, diversity=self.recipe.diversity, tau=self.recipe.tau, epoch=epoch
        )
        for alpha, gradient in zip(alphas, torch.autograd.grad(objective, alphas), strict=True):
            alpha.grad = gradient
        self.arch_optimizer.step()
        return outcome

    def weight_step(self, inputs: Tensor, labels: Tensor, *, epoch: int, step: int) -> Outcome:
        """Move the weights down the gradient of the cross-entropy; the architecture stays.

        Args:
            inputs: Of the weights' half.
            labels: Theirs.
            epoch: Counted from 0; sets the learning rate.
            step: Of the epoch, counted from 0; for the message.

        Raises:
            TrainingError: The loss is not a number.
        """
        for group in self.weight_optimizer.param_groups:
            group["lr"] = weight_rate(self.recipe, epoch)
        loss, outcome = self._loss(inputs, labels, f"weight {_moment(epoch, step)}")
        weights = self.network.weights()
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = gradient
        self.weight_optimizer.step()
        return outcome

    def _loss(self, inputs: Tensor, labels: Tensor, when: str) -> tuple[Tensor, Outcome]:
        logits = self._forward(inputs)
        labels = labels.to(logits.device)
        loss = functional.cross_entropy(logits, labels)
        value = loss.item()
        if not math.isfinite(value):
            fault = first_fault(self.network, lambda: self._forward(inputs))
            msg = f"the loss became {value} in the {when}: {fault}"
            raise TrainingError(msg)
        return loss, (value, int((logits.detach().argmax(1) == labels).sum()))


def weight_rate(recipe: SearchRecipe, epoch: int) -> float:
    """Return the weights' learning rate: a cosine over the epochs from lr towards min_lr."""
    height = 0.5 * (1 + math.cos(math.pi * epoch / recipe.epochs))
    return recipe.min_lr + (recipe.lr - recipe.min_lr) * height


def _moment(epoch: int, step: int) -> str:
    return f"step of epoch {epoch + 1}, step {step + 1}"


@contextmanager
def _latent_weights_held(network: SearchNetwork) -> Iterator[None]:
    """Let binary convolutions compute with their constrained weights without storing them.

    In evaluation mode they do; then both steps compute with the same binary weights, and an
    architecture step changes no weight.
    """
    binary = [module for module in network.modules() if isinstance(module, BinaryConv2d)]
    was = [module.training for module in binary]
    try:
        for module in binary:
            module.training = False
        yield
    finally:
        for module, training in zip(binary, was, strict=True):
            module.training = training
