"""The training loop: one `Trainer` with all its state. It prints nothing and writes no files."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from bnas_deploy.errors import TrainingError
from bnas_deploy.nn.network import Network
from bnas_deploy.training.augment import Augmentation, normalise
from bnas_deploy.training.data import ImageData, ImageSet
from bnas_deploy.training.device import Runtime
from bnas_deploy.training.preprocessing import Preprocessing
from bnas_deploy.training.recipe import Recipe
from bnas_deploy.training.schedule import drop_path, rate_and_momentum

__all__ = [
    "EVALUATION_BATCH",
    "Observer",
    "Phase",
    "Progress",
    "Row",
    "Trainer",
]

Row = dict[str, float]
"""One line of the metrics: epoch, lr, train_loss, train_accuracy, test_accuracy, seconds."""

Phase = dict[str, int | float | str]
"""A part of a run: from_epoch, from_step, epochs, lr, runtime."""

EVALUATION_BATCH = 500
_CHECK_EVERY = 10


class Observer(Protocol):
    """What the loop tells while it runs."""

    def step(self, trainer: Trainer, loss: float, accuracy: float) -> None:
        """Take the means of this epoch so far; called every few steps."""

    def epoch(self, trainer: Trainer, row: Row) -> None:
        """Take a finished epoch's metrics."""


@dataclass
class Progress:
    """Where a run stands; everything a checkpoint needs beside weights and generators.

    Attributes:
        epoch: Finished epochs.
        step: Finished steps of the epoch that has begun.
        loss: Sum of the losses of those steps.
        correct: Images of those steps that were classified correctly.
        seconds: Time spent so far.
        history: Metrics of the finished epochs.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0
    history: list[Row] = field(default_factory=list)


class Trainer:
    """Trains a network on images in memory.

    Attributes:
        network: Being trained.
        data: The images.
        recipe: How.
        preprocessing: Mean and standard deviation of the inputs.
        runtime: Where and in which precision.
        seed: Of the order of the images, augmentation and drop-path.
        optimizer: SGD.
        augmentation: With its generator.
        progress: Where the run stands.
        phases: From which epoch and step on which length, peak rate and runtime held; a run that
            was never changed has one.
        stop: Set it (from a signal handler) to stop after the step that is running.
    """

    def __init__(
        self,
        network: Network,
        data: ImageData,
        *,
        recipe: Recipe,
        preprocessing: Preprocessing,
        runtime: Runtime,
        seed: int = 0,
    ) -> None:
        self.network = runtime.prepare(network)
        self.data = data
        self.recipe = recipe
        self.preprocessing = preprocessing
        self.runtime = runtime
        self.seed = seed
        self.optimizer = torch.optim.SGD(
            network.parameters(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
        )
        self.augmentation = Augmentation(padding=recipe.crop_padding, flip=recipe.flip, seed=seed)
        self.progress = Progress()
        self.phases: list[Phase] = []
        self.stop = False

    @property
    def batch(self) -> int:
        """Images a step: the recipe's, or all if there are fewer."""
        return min(self.recipe.batch, len(self.data.train))

    @property
    def steps_per_epoch(self) -> int:
        """Full batches an epoch; a last partial one is left out."""
        return len(self.data.train) // self.batch

    def run(self, observer: Observer) -> bool:
        """Train from where the run stands to the end.

        Returns:
            Whether the end was reached; False after `stop` was set.

        Raises:
            TrainingError: The loss is not a number.
        """
        while self.progress.epoch < self.recipe.epochs:
            self._note_phase()
            if not self._epoch(observer):
                return False
            observer.epoch(self, self.progress.history[-1])
        return True

    def _note_phase(self) -> None:
        now: Phase = {
            "epochs": self.recipe.epochs,
            "lr": self.recipe.lr,
            "runtime": str(self.runtime),
        }
        if not self.phases or not now.items() <= self.phases[-1].items():
            start = {"from_epoch": self.progress.epoch, "from_step": self.progress.step}
            self.phases.append({**start, **now})

    def evaluate(self, images: ImageSet, *, exact: bool = False) -> float:
        """Return the share of images classified correctly, between 0 and 1.

        Args:
            images: Of the size the network expects.
            exact: Compute in float32 whatever the runtime's precision.
        """
        self.network.eval()
        correct = 0
        with torch.no_grad():
            for start in range(0, len(images), EVALUATION_BATCH):
                part = slice(start, start + EVALUATION_BATCH)
                logits = self._forward(torch.from_numpy(images.images[part]), exact=exact)
                labels = torch.from_numpy(images.labels[part]).to(logits.device)
                correct += int((logits.argmax(1) == labels).sum())
        return correct / len(images)

    def _epoch(self, observer: Observer) -> bool:
        progress, started = self.progress, time.monotonic()
        before = progress.seconds
        self.network.train()
        self.network.drop_path = drop_path(self.recipe, progress.epoch)
        for images, labels in self._batches(progress.step):
            self._step(images, labels)
            progress.seconds = before + time.monotonic() - started
            if progress.step % _CHECK_EVERY == 0 or progress.step == self.steps_per_epoch:
                observer.step(self, *self._means())
            if self.stop:
                return False
        self._finish_epoch(before, started)
        return True

    def _finish_epoch(self, before: float, started: float) -> None:
        progress = self.progress
        loss, accuracy = self._means()
        progress.epoch += 1
        row: Row = {
            "epoch": progress.epoch,
            "lr": self.optimizer.param_groups[0]["lr"],
            "train_loss": loss,
            "train_accuracy": accuracy,
        }
        last = progress.epoch == self.recipe.epochs
        if last or progress.epoch % self.recipe.evaluate_every == 0:
            row["test_accuracy"] = self.evaluate(self.data.test, exact=last)
        progress.seconds = before + time.monotonic() - started
        row["seconds"] = progress.seconds
        progress.history.append(row)
        progress.step, progress.loss, progress.correct = 0, 0.0, 0

    def _batches(self, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        # The order depends on the seed and the epoch alone, so that a run resumes inside an epoch.
        order = torch.Generator().manual_seed(self.seed * 1_000_003 + self.progress.epoch)
        permutation = torch.randperm(len(self.data.train), generator=order)
        images = torch.from_numpy(self.data.train.images)
        labels = torch.from_numpy(self.data.train.labels)
        for step in range(first, self.steps_per_epoch):
            chosen = permutation[step * self.batch : (step + 1) * self.batch]
            yield self.augmentation(images[chosen]), labels[chosen]

    def _step(self, images: Tensor, labels: Tensor) -> None:
        progress, per_epoch = self.progress, self.steps_per_epoch
        done = progress.epoch * per_epoch + progress.step
        rate, momentum = rate_and_momentum(
            self.recipe, done, self.recipe.epochs * per_epoch, per_epoch
        )
        for group in self.optimizer.param_groups:
            group["lr"], group["momentum"] = rate, momentum
        logits = self._forward(images)
        labels = labels.to(logits.device)
        loss = functional.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        value = loss.item()
        if not math.isfinite(value):
            msg = (
                f"the loss became {value} in epoch {progress.epoch + 1}, step {progress.step + 1}"
                f" (learning rate {rate:.4g}); a smaller learning rate may help"
            )
            raise TrainingError(msg)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        progress.step += 1
        progress.loss += value
        progress.correct += int((logits.detach().argmax(1) == labels).sum())

    def _forward(self, images: Tensor, *, exact: bool = False) -> Tensor:
        inputs = normalise(
            images.to(self.runtime.device), self.preprocessing.mean, self.preprocessing.std
        )
        with self.runtime.autocast(exact=exact):
            logits = self.network(inputs)
            result: Tensor = logits.float()
        return result

    def _means(self) -> tuple[float, float]:
        steps = max(self.progress.step, 1)
        return self.progress.loss / steps, self.progress.correct / (steps * self.batch)
