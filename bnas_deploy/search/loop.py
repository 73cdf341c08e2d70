"""The search loop: one `Searcher` with all its state."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from bnas_deploy.errors import TrainingError
from bnas_deploy.format.program import Preprocessing
from bnas_deploy.nn.genotype import Genotype
from bnas_deploy.search.alternation import Alternation, Outcome, weight_rate
from bnas_deploy.search.halves import split_halves
from bnas_deploy.search.objective import diversity_weight, mean_entropy
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.search.selection import (
    Probabilities,
    check_gamma,
    gamma_name,
    select_genotype,
    share_columns,
)
from bnas_deploy.search.supernet import KINDS, Supernet
from bnas_deploy.search.timing import Timing
from bnas_deploy.training.arithmetic.convolutions import Convolutions
from bnas_deploy.training.arithmetic.survey import survey
from bnas_deploy.training.data.augment import Augmentation, normalise
from bnas_deploy.training.data.images import ImageData
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.steps.nonfinite import first_tensor

__all__ = [
    "GAMMAS",
    "Row",
    "SearchObserver",
    "SearchProgress",
    "Searcher",
    "gamma_name",
]

GAMMAS = (1.0, 3.0)
"""The paper's: CIFAR-10 and ImageNet (Table 5)."""

Row = dict[str, float]
"""One line of the metrics; see docs/search.md."""

_CHECK_EVERY = 10
_ASCEND_EVERY = 20
"""Steps between two changes of the weight of the time."""


class SearchObserver(Protocol):
    """What the loop tells while it runs."""

    def step(self, searcher: Searcher, row: Row) -> None:
        """Take the means of this epoch so far; called every few steps."""

    def epoch(self, searcher: Searcher, row: Row) -> None:
        """Take a finished epoch's metrics."""


@dataclass
class SearchProgress:
    """Where a search stands.

    Attributes:
        epoch: Finished epochs.
        step: Finished steps of the epoch that has begun.
        sums: Of those steps: cross-entropy and correct images on the weights' half, then on the
            architecture's half.
        seconds: Time spent so far.
        history: Metrics of the finished epochs.
        cells: The cells that the finished epochs would have chosen, as text by gamma.
    """

    epoch: int = 0
    step: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * 4)
    seconds: float = 0.0
    history: list[Row] = field(default_factory=list)
    cells: list[dict[str, str]] = field(default_factory=list)


class Searcher:
    """Searches a cell on images in memory (paper, Section 4.3).

    Attributes:
        supernet: Being searched in.
        data: The images; those for testing are not used.
        halves: The training images, split.
        recipe: How.
        preprocessing: Mean and standard deviation of the inputs.
        runtime: Where and in which precision.
        seed: Of the split, the order of the images, and augmentation.
        gammas: Of Eq. 5; each gives cells of its own.
        alternation: The two steps and their optimizers.
        augmentation: With its generator.
        timing: What is known of the time of the network that the cells are for, or None.
        progress: Where the search stands.
        stop: Set it (from a signal handler) to stop after the step that is running.
    """

    def __init__(
        self,
        supernet: Supernet,
        data: ImageData,
        *,
        recipe: SearchRecipe,
        preprocessing: Preprocessing,
        runtime: Runtime,
        seed: int = 0,
        gammas: Sequence[float] = GAMMAS,
        timing: Timing | None = None,
    ) -> None:
        self.supernet = runtime.prepare(supernet)
        self.data = data
        self.halves = split_halves(data.train, seed)
        self.recipe = recipe
        self.preprocessing = preprocessing
        self.runtime = runtime
        self.seed = seed
        self.gammas = tuple(dict.fromkeys(check_gamma(gamma) for gamma in gammas))
        self.alternation = Alternation(supernet, recipe, self._forward)
        self.timing = timing
        if timing is not None:
            self.alternation.penalty = self._time_penalty
        self.augmentation = Augmentation(padding=recipe.crop_padding, flip=recipe.flip, seed=seed)
        self.progress = SearchProgress()
        self.stop = False
        self._checked = False

    @property
    def batch(self) -> int:
        """Images of a step on either half: the recipe's, or all if there are fewer."""
        return min(self.recipe.batch, len(self.halves.weights))

    @property
    def steps_per_epoch(self) -> int:
        """Full batches of a half; a last partial one is left out."""
        return len(self.halves.weights) // self.batch

    def probabilities(self) -> dict[str, Probabilities]:
        """Return the probabilities of the primitives, (E, P) float64, by the kind of cell."""
        with torch.no_grad():
            found = self.supernet.probabilities()
        return {kind: p.double().cpu().numpy() for kind, p in found.items()}

    def genotypes(self) -> dict[float, Genotype]:
        """Return the cells chosen now, by gamma (Eq. 5, within the target time if there is one)."""
        p, space = self.probabilities(), self.supernet.space
        if self.timing is not None:
            return {gamma: self.timing.cells(p, gamma) for gamma in self.gammas}
        return {gamma: select_genotype(p, space, gamma) for gamma in self.gammas}

    def run(self, observer: SearchObserver) -> bool:
        """Search from where it stands to the end.

        Returns:
            Whether the end was reached; False after `stop` was set.

        Raises:
            TrainingError: The loss or a gradient is not finite; the message names step and layer.
        """
        self.check_arithmetic()
        while self.progress.epoch < self.recipe.epochs:
            if not self._epoch(observer):
                return False
            observer.epoch(self, self.progress.history[-1])
        return True

    def check_arithmetic(self) -> None:
        """Try, once, every convolution of a step; `runtime` then avoids what is wrong here.

        `run` begins with it.

        Raises:
            TrainingError: One is wrong in every way that is known; see `training.arithmetic`.
        """
        if self._checked:
            return
        images = torch.from_numpy(self.halves.weights.images[: self.batch])
        labels = torch.from_numpy(self.halves.weights.labels[: self.batch])

        def step(convolutions: Convolutions) -> None:
            self.runtime = replace(self.runtime, convolutions=convolutions)
            logits = self._forward(images)
            loss = functional.cross_entropy(logits, labels.to(logits.device))
            loss.backward()  # type: ignore[no-untyped-call]

        found = survey(self.supernet, step)
        self.runtime = replace(self.runtime, convolutions=found)
        self._checked = True

    def check_finite(self) -> None:
        """Check that the state is worth keeping: every parameter and statistic is finite.

        Raises:
            TrainingError: One is not; the message names it.
        """
        name = first_tensor(self.supernet)
        if name is not None:
            progress = self.progress
            msg = (
                f"{name} holds NaN or infinity after epoch {progress.epoch + 1}, step"
                f" {progress.step}"
            )
            raise TrainingError(msg)

    def _epoch(self, observer: SearchObserver) -> bool:
        progress, started, before = self.progress, time.monotonic(), self.progress.seconds
        self.supernet.train()
        batches = self.halves.batches(
            self.batch, seed=self.seed, epoch=progress.epoch, first=progress.step
        )
        for architecture, weights in batches:
            self._step(*architecture, *weights)
            progress.seconds = before + time.monotonic() - started
            if progress.step % _CHECK_EVERY == 0 or progress.step == self.steps_per_epoch:
                observer.step(self, self._means())
            if self.stop:
                return False
        self._finish_epoch()
        return True

    def _step(
        self, arch_images: Tensor, arch_labels: Tensor, images: Tensor, labels: Tensor
    ) -> None:
        progress = self.progress
        when = {"epoch": progress.epoch, "step": progress.step}
        shown = self.augmentation(arch_images)
        searched = self.alternation.architecture_step(shown, arch_labels, **when)
        trained = self.alternation.weight_step(self.augmentation(images), labels, **when)
        self._count(trained, searched)
        if self.timing is not None and progress.step % _ASCEND_EVERY == 0:
            self.timing.ascend(self.probabilities(), self.gammas[0])

    def _time_penalty(self) -> Tensor:
        assert self.timing is not None
        alphas = dict(self.supernet.alphas.items())
        return self.timing.weight * self.timing.expected(alphas, self.gammas[0])

    def _count(self, trained: Outcome, searched: Outcome) -> None:
        self.progress.step += 1
        for index, value in enumerate((*trained, *searched)):
            self.progress.sums[index] += value

    def _means(self) -> Row:
        steps = max(self.progress.step, 1)
        loss, correct, arch_loss, arch_correct = self.progress.sums
        return {
            "train_loss": loss / steps,
            "train_accuracy": correct / (steps * self.batch),
            "search_loss": arch_loss / steps,
            "search_accuracy": arch_correct / (steps * self.batch),
        }

    def _finish_epoch(self) -> None:
        progress = self.progress
        chosen = self.genotypes()
        progress.history.append(
            {
                "epoch": progress.epoch + 1,
                "lr": weight_rate(self.recipe, progress.epoch),
                **self._means(),
                **self._entropies(),
                **share_columns(chosen),
                **self._times(chosen),
                "seconds": progress.seconds,
            }
        )
        progress.cells.append({gamma_name(g): cell.to_text() for g, cell in chosen.items()})
        progress.epoch += 1
        progress.step, progress.sums = 0, [0.0] * 4

    def _entropies(self) -> Row:
        recipe, alphas = self.recipe, self.supernet.alphas
        with torch.no_grad():
            by_kind = {f"entropy_{kind}": float(mean_entropy([alphas[kind]])) for kind in KINDS}
        weight = diversity_weight(recipe.diversity, recipe.tau, self.progress.epoch)
        return {**by_kind, "diversity_weight": weight}

    def _times(self, chosen: dict[float, Genotype]) -> Row:
        if self.timing is None:
            return {}
        alphas = dict(self.supernet.alphas.items())
        return self.timing.columns(alphas, self.probabilities(), chosen)

    def _forward(self, images: Tensor) -> Tensor:
        inputs = normalise(
            images.to(self.runtime.device), self.preprocessing.mean, self.preprocessing.std
        )
        with self.runtime.arithmetic():
            logits: Tensor = self.supernet(inputs)
        return logits.float()
