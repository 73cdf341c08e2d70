"""The two steps that a search alternates, with their optimizers (first order).

Shapes: inputs (N, ...), labels (N,), logits (N, classes).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnas_deploy.errors import TrainingError
from bnas_deploy.nn.layers import BinaryConv2d
from bnas_deploy.search.objective import search_loss
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.training.steps.nonfinite import all_finite, find, first_tensor, surely_finite

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


class SearchNetwork(nn.Module):
    """What can be searched in; `Supernet` is one.

    Attributes:
        alphas: Architecture parameters, (E, P) for each kind of cell.
    """

    alphas: nn.ParameterDict

    def weights(self) -> list[nn.Parameter]:
        """Return every parameter but the architecture's."""
        return [p for name, p in self.named_parameters() if not name.startswith("alphas.")]


class Alternation:
    """Alternates one step on the architecture parameters and one on the weights (Section 4.3).

    Attributes:
        network: Being searched in.
        recipe: Rates, decays, lambda and tau.
        penalty: A further term of the architecture's objective, or None.
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
        self.penalty: Callable[[], Tensor] | None = None
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
            TrainingError: The loss or a gradient is not finite; the message names the layer.
        """
        batch = _Batch(inputs, labels, f"architecture {_moment(epoch, step)}")
        with _latent_weights_held(self.network):
            loss, outcome = self._loss(batch)
        alphas = list(self.network.alphas.values())
        objective = search_loss(
            loss, alphas, diversity=self.recipe.diversity, tau=self.recipe.tau, epoch=epoch
        )
        if self.penalty is not None:
            objective = objective + self.penalty()
        self._set_gradients(objective, alphas, batch)
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
            TrainingError: The loss or a gradient is not finite; the message names the layer.
        """
        for group in self.weight_optimizer.param_groups:
            group["lr"] = weight_rate(self.recipe, epoch)
        batch = _Batch(inputs, labels, f"weight {_moment(epoch, step)}")
        loss, outcome = self._loss(batch)
        self._set_gradients(loss, self.network.weights(), batch)
        self.weight_optimizer.step()
        return outcome

    def _loss(self, batch: _Batch) -> tuple[Tensor, Outcome]:
        logits = self._forward(batch.inputs)
        labels = batch.labels.to(logits.device)
        loss = functional.cross_entropy(logits, labels)
        value = loss.item()
        if not math.isfinite(value):
            problem = f"the loss became {value}"
            raise self._fault(problem, batch)
        return loss, (value, int((logits.detach().argmax(1) == labels).sum()))

    def _set_gradients(self, loss: Tensor, parameters: list[nn.Parameter], batch: _Batch) -> None:
        gradients = list(torch.autograd.grad(loss, parameters))
        if not surely_finite(gradients) and not all_finite(gradients):
            problem = "a gradient is not finite"
            raise self._fault(problem, batch)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient

    def _fault(self, problem: str, batch: _Batch) -> TrainingError:
        """Repeat the batch to name the layer; the search is over, its state need not be kept."""

        def loss() -> Tensor:
            logits = self._forward(batch.inputs)
            return functional.cross_entropy(logits, batch.labels.to(logits.device))

        finding, tensor = find(self.network, loss), first_tensor(self.network)
        where = finding.what if finding else "nothing when the step is repeated"
        cause = f" ({tensor} is not finite)" if tensor else ""
        msg = f"{problem} in the {batch.when}; first not finite: {where}{cause}"
        return TrainingError(msg)


@dataclass(frozen=True)
class _Batch:
    inputs: Tensor
    labels: Tensor
    when: str


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
