"""The running mean of a network's weights, and the statistics that belong to it.

Averaged weights are better than those of the last step, as the noise of the steps cancels out
(Izmailov et al. 2018). The running statistics of BatchNorm belong to other weights, so they are
taken anew, from training images.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from bnas_deploy.training.machine.parallel import share

if TYPE_CHECKING:
    from bnas_deploy.training.run.loop import Trainer

__all__ = ["WeightAverage", "averaged"]

_IMAGES = 4096
"""Training images that the statistics are taken from, at most."""

_WARM_UP = 10
"""Steps that the first of the weights count for at the start (as in TensorFlow's average)."""


class WeightAverage:
    """An exponential moving average of parameters.

    Args:
        parameters: Of the network.
        steps: Over which it averages: its time constant.

    Attributes:
        weights: Averages, one for each parameter.
        taken: Steps so far.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], steps: float) -> None:
        self._parameters = parameters
        self._keep = math.exp(-1 / steps)
        self.weights = [p.detach().clone() for p in parameters]
        self.taken = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take the parameters as they are after a step."""
        keep = min(self._keep, (1 + self.taken) / (_WARM_UP + self.taken))
        torch._foreach_lerp_(self.weights, list(self._parameters), 1 - keep)
        self.taken += 1

    def state(self) -> dict[str, object]:
        """Return what a checkpoint needs."""
        return {"taken": self.taken, "weights": self.weights}

    def fits(self, value: object) -> bool:
        """Whether a value from a checkpoint has the form that `state` gives."""
        if not isinstance(value, dict) or not isinstance(value.get("taken"), int):
            return False
        found = value.get("weights")
        if not isinstance(found, list) or not all(isinstance(x, Tensor) for x in found):
            return False
        return [x.shape for x in found] == [p.shape for p in self._parameters]

    def restore(self, value: dict[str, list[Tensor]]) -> None:
        """Go on from a state that `fits`."""
        for own, saved in zip(self.weights, value["weights"], strict=True):
            own.copy_(saved)
        self.taken = int(value["taken"])  # type: ignore[call-overload]


@contextmanager
def averaged(trainer: Trainer) -> Iterator[None]:
    """Let the network have the averaged weights meanwhile, with statistics that belong to them."""
    network, average = trainer.network, trainer.average
    assert average is not None
    kept = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        for parameter, mean in zip(network.parameters(), average.weights, strict=True):
            parameter.copy_(mean)
    try:
        _take_statistics(trainer)
        yield
    finally:
        network.load_state_dict(kept)


def _take_statistics(trainer: Trainer) -> None:
    """Set the running statistics to their means over batches of training images, uncropped."""
    layers = [m for m in trainer.network.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in layers]
    trainer.network.train()
    trainer.computation.set_drop_path(0.0)
    trainer.computation.set_real_weights(False)
    for index, images in enumerate(_batches(trainer)):
        for layer in layers:
            layer.momentum = 1 / (index + 1)
        trainer.computation.logits(images, exact=False)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def _batches(trainer: Trainer) -> Iterator[Tensor]:
    """Yield this process's parts of batches as large as those of training, the same each time."""
    train, size = trainer.data.train, trainer.batches.size // trainer.recipe.accumulate
    count = max(1, min(_IMAGES, len(train)) // size)
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    chosen = train.chosen(order[: count * size].numpy())
    first, last = share(size, trainer.group.rank, trainer.group.world)
    slices = [slice(i * size + first, i * size + last) for i in range(count)]
    yield from map(torch.from_numpy, chosen.parts(slices))
