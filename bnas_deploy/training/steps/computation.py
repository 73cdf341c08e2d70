"""Forward and backward passes over parts of a batch: loss, gradients, answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from bnas_deploy.errors import TrainingError
from bnas_deploy.format.program import Preprocessing
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.nn import data_parallel
from bnas_deploy.nn.layers import BinaryConv2d, LatentConv2d
from bnas_deploy.training.arithmetic.convolutions import Convolutions
from bnas_deploy.training.arithmetic.survey import survey
from bnas_deploy.training.data.augment import mixed, normalise
from bnas_deploy.training.data.batches import Batch
from bnas_deploy.training.data.feed import Part, to_device
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.machine.parallel import Group
from bnas_deploy.training.steps.distillation import Distillation
from bnas_deploy.training.steps.nonfinite import Finding, all_finite, find, surely_finite

__all__ = [
    "Computation",
    "Sums",
]


@dataclass(frozen=True)
class Sums:
    """What a step knows of its whole batch, the same in all processes.

    Attributes:
        loss: Mean over the images.
        correct: Images classified correctly.
        stop: Whether any process wants to stop.
        finite: Whether all gradients are.
    """

    loss: float
    correct: int
    stop: bool
    finite: bool


class Computation:
    """Computes with a network whose weights somebody else changes.

    Args:
        network: That one.
        preprocessing: Of its inputs.
        runtime: Where and in which precision.
        group: The processes that compute together.
        weights: What an image of each class counts in the loss, (classes,); None: 1.
        distillation: Whose answers count in the loss beside the labels; None: nobody's.
    """

    def __init__(
        self,
        network: AnyNetwork,
        *,
        preprocessing: Preprocessing,
        runtime: Runtime,
        group: Group,
        weights: Tensor | None = None,
        distillation: Distillation | None = None,
    ) -> None:
        self._network = network
        self._preprocessing = preprocessing
        self._runtime = runtime
        self._group = group
        self._weights = None if weights is None else weights.to(runtime.device)
        self._distillation = distillation
        self._drop = data_parallel.install(network) if group.world > 1 else None
        group.copy_from_first(network.state_dict().values())
        self._keep = runtime.install_tensor_drop(network) if runtime.compile != "off" else None
        self._compute = runtime.compiled(network)
        self._layers = [m for m in network.modules() if isinstance(m, LatentConv2d)]
        self._latent = [m for m in network.modules() if isinstance(m, BinaryConv2d)]
        # What is needed to repeat the last step, should it fail.
        self._last: tuple[Batch, float, float] = ([], 0.0, 1.0)
        self._random: list[Tensor] = []

    def check_arithmetic(self, batch: Batch) -> Runtime:
        """Try every convolution of these passes; see `arithmetic`.

        Returns:
            The runtime that computes those otherwise that are wrong here; it is used from now on.

        Raises:
            TrainingError: One is wrong in every way that is known.
        """

        def step(convolutions: Convolutions) -> None:
            self._runtime = replace(self._runtime, convolutions=convolutions)
            self._last = batch, 0.0, 1.0
            for part in batch:
                self._loss(part, compiled=False)[0].backward()  # type: ignore[no-untyped-call]

        found = survey(self._network, step, self._group.gather)
        self._runtime = replace(self._runtime, convolutions=found)
        return self._runtime

    def set_drop_path(self, probability: float) -> None:
        """Set with which probability an edge's output is dropped for a sample from now on."""
        if self._keep is None:
            self._network.drop_path = probability
            return
        # Another number in the network would mean compiling it again, a tensor does not.
        self._network.drop_path = 1.0 if probability > 0 else 0.0
        self._keep.fill_(1.0 - probability)

    def set_real_weights(self, wanted: bool) -> None:
        """Set whether training passes compute with latent weights themselves from now on."""
        for layer in self._layers:
            layer.real_weights = wanted

    def correct(self, images: Tensor, labels: Tensor, *, exact: bool) -> Tensor:
        """Return the number of images (N, H, W, 3) classified correctly, (), on the device."""
        answers = self.logits(images, exact=exact).argmax(1)
        right: Tensor = (answers == to_device(labels, self._runtime.device)).sum()
        return right

    def logits(self, images: Tensor, *, exact: bool) -> Tensor:
        """Return the logits (N, classes) of images (N, H, W, 3), on the device."""
        with torch.no_grad(), self._runtime.arithmetic(exact=exact):
            on_device = to_device(images, self._runtime.device)
            logits: Tensor = self._network(self._inputs(on_device))
        return logits

    def gradients(
        self, batch: Batch, *, label_smoothing: float, stop: bool, mix: float = 1.0
    ) -> Sums:
        """Leave the gradients of a whole batch's mean loss in the parameters.

        Args:
            batch: The passes.
            label_smoothing: See `Recipe`.
            stop: Whether this process wants to stop.
            mix: Share of each image; the rest is another's of its pass (MixUp).
        """
        self._remember(batch, label_smoothing, mix)
        self._network.zero_grad()
        sums = torch.zeros(4, dtype=torch.float64, device=self._runtime.device)
        for index, part in enumerate(batch):
            self._constrain(index == 0)
            loss, correct = self._loss(part, compiled=True)
            loss.backward()  # type: ignore[no-untyped-call]
            sums += torch.stack([loss.detach().double(), correct.double(), *sums.new_zeros(2)])
        self._constrain(True)
        parameters = list(self._network.parameters())
        self._group.add_gradients(parameters)
        found = [p.grad for p in parameters if p.grad is not None]
        sums[2], sums[3] = float(stop), ~surely_finite(found).to(sums.device)
        self._group.add(sums)
        loss_sum, correct_sum, stops, doubts = sums.tolist()
        return Sums(loss_sum, int(correct_sum), stops > 0, doubts == 0 or all_finite(found))

    def not_finite(self, sums: Sums, where: str) -> TrainingError:
        """Repeat the last step and return an error that names the first layer that went wrong.

        Args:
            sums: What the step gave.
            where: Epoch and step.
        """
        finding = self._find()
        what = "a gradient became nan or infinite"
        if sums.loss != sums.loss or abs(sums.loss) == float("inf"):
            what = f"the loss became {sums.loss}"
        layer = (
            f"the first thing in the network that is not finite is {finding.what}"
            if finding
            else "repeating the step gave finite numbers"
        )
        msg = f"{what} in {where}; {layer}; a smaller learning rate may help"
        return TrainingError(msg)

    def _remember(self, batch: Batch, label_smoothing: float, mix: float) -> None:
        self._last = batch, label_smoothing, mix
        if self._network.drop_path > 0:
            self._random = _random_states(self._runtime.device)

    def _find(self) -> Finding | None:
        batch, *_ = self._last
        if self._random:
            _set_random_states(self._runtime.device, self._random)
        # The weights were constrained when the step failed.
        self._constrain(False)
        found = [
            find(self._network, lambda part=part: self._loss(part, compiled=False)[0])  # type: ignore[misc]
            for part in batch
        ]
        self._constrain(True)
        everywhere = [f for rank in self._group.gather(found) for f in rank if f is not None]
        return min(everywhere) if everywhere else None

    def _loss(self, part: tuple[Tensor, Tensor, Part], *, compiled: bool) -> tuple[Tensor, Tensor]:
        """Return this part's share of the batch's mean loss, and how many answers are right."""
        images, labels, place = part
        batch, *_, mix = self._last
        if self._drop is not None:
            self._drop.first, self._drop.total = place.first, len(place.chosen)
        images, labels = (to_device(t, self._runtime.device) for t in (images, labels))
        compute = self._compute if compiled else self._network
        with self._runtime.arithmetic():
            logits = compute(mixed(self._inputs(images), mix)).float()
        mean = self._distilled(self._mean_loss(logits, labels), logits, images, labels)
        total = sum(len(other.chosen) for _, _, other in batch)
        return mean * (len(labels) / total), (logits.detach().argmax(1) == labels).sum()

    def _mean_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        _, label_smoothing, mix = self._last
        loss = self._cross_entropy(logits, labels, label_smoothing)
        if mix == 1.0:
            return loss
        other = self._cross_entropy(logits, labels.flip(0), label_smoothing)
        return mix * loss + (1 - mix) * other

    def _distilled(self, loss: Tensor, logits: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        """Give a part of the loss to the teacher, if there is one."""
        if self._distillation is None:
            return loss
        *_, mix = self._last
        with self._runtime.arithmetic():
            answers = self._distillation.answers(images, mix)
        each = None if self._weights is None else self._weights[labels]
        each = each if each is None or mix == 1.0 else mix * each + (1 - mix) * each.flip(0)
        share = self._distillation.share
        return (1 - share) * loss + share * self._distillation.loss(logits, answers, each)

    def _cross_entropy(self, logits: Tensor, labels: Tensor, label_smoothing: float) -> Tensor:
        if self._weights is None:
            return functional.cross_entropy(logits, labels, label_smoothing=label_smoothing)
        # Not PyTorch's weights, which divide by their sum over the batch: a pass is a part of one.
        each = functional.cross_entropy(
            logits, labels, label_smoothing=label_smoothing, reduction="none"
        )
        return (each * self._weights[labels]).mean()

    def _inputs(self, images: Tensor) -> Tensor:
        return normalise(images, self._preprocessing.mean, self._preprocessing.std)

    def _constrain(self, wanted: bool) -> None:
        for conv in self._latent:
            conv.constrain = wanted


def _random_states(device: str) -> list[Tensor]:
    states = [torch.get_rng_state()]
    return [*states, torch.cuda.get_rng_state()] if device == "cuda" else states


def _set_random_states(device: str, states: list[Tensor]) -> None:
    torch.set_rng_state(states[0])
    if device == "cuda":
        torch.cuda.set_rng_state(states[1])
