"""The training loop: one `Trainer` with all its state."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bnas_deploy.format.program import Preprocessing
from bnas_deploy.networks.build import AnyNetwork
from bnas_deploy.training.data.augment import Augmentation
from bnas_deploy.training.data.batches import Batch, Batches
from bnas_deploy.training.data.classes import class_weights
from bnas_deploy.training.data.feed import make_feed
from bnas_deploy.training.data.images import ImageData, ImageSet
from bnas_deploy.training.data.stream import StreamedData, StreamedSet
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.machine.parallel import Group
from bnas_deploy.training.model.teacher import Teacher
from bnas_deploy.training.recipes.optimizers import make_optimizer, set_rate
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.recipes.schedule import (
    crop_size,
    drop_path,
    has_real_weights,
    mixed_share,
    rate_and_momentum,
)
from bnas_deploy.training.run.average import WeightAverage
from bnas_deploy.training.run.evaluation import evaluation_passes
from bnas_deploy.training.run.observer import Observer
from bnas_deploy.training.run.progress import (
    Phase,
    Progress,
    Row,
    done,
    done_before_epoch,
    estimate,
    is_over,
    note_phase,
)
from bnas_deploy.training.run.requirements import check_recipe
from bnas_deploy.training.run.selection import measure
from bnas_deploy.training.steps.computation import Computation
from bnas_deploy.training.steps.distillation import distillation
from bnas_deploy.training.steps.head import resting

__all__ = ["Trainer"]

_CHECK_EVERY = 10


class Trainer:
    """Trains a network, alone or together with other processes.

    Attributes:
        network: Being trained.
        data: The images.
        recipe: How.
        preprocessing: Mean and standard deviation of the inputs.
        runtime: Where and in which precision.
        seed: Of the order of the images, augmentation and drop-path.
        optimizer: The recipe's.
        augmentation: With its generator.
        progress: Where the run stands.
        batches: The images of its steps.
        phases: From which epoch and step on which length, peak rate and runtime held; a run that
            was never changed has one.
        teacher: The network whose answers the run learns from; None: it has none.
        initial: The model that its weights come from, as `start_from` tells; None: random ones.
        group: The processes that train together; each has a trainer, and all must do the same.
        stop: Set it (from a signal handler) to stop after the step that is running.
        computation: What computes loss, gradients and answers with the network.
        average: The running mean of the weights; None: the recipe has none.
        best: Weights and statistics that ship, on the CPU: the best ones by the validation images,
            or without such images the averaged ones; None: those of the last step.
        after_gradients: Called in each step between backward pass and update, if set.
    """

    def __init__(
        self,
        network: AnyNetwork,
        data: ImageData | StreamedData,
        *,
        recipe: Recipe,
        preprocessing: Preprocessing,
        runtime: Runtime,
        seed: int = 0,
        initial: dict[str, object] | None = None,
        teacher: Teacher | None = None,
        group: Group | None = None,
    ) -> None:
        self.network = runtime.prepare(network)
        self.data = data
        self.recipe = recipe
        self.preprocessing = preprocessing
        self.runtime = runtime
        self.seed = seed
        self.group = group or Group()
        self.optimizer = make_optimizer(recipe, network.parameters())
        self.augmentation = Augmentation(padding=recipe.crop_padding, flip=recipe.flip, seed=seed)
        self.progress = Progress()
        self.phases: list[Phase] = []
        self.initial = initial
        self.teacher = teacher
        if teacher is not None:
            runtime.prepare(teacher.network)
        self.stop = False
        self.best: dict[str, Tensor] | None = None
        self.after_gradients: Callable[[], None] | None = None
        self.computation = Computation(
            network,
            preprocessing=preprocessing,
            runtime=runtime,
            group=self.group,
            weights=class_weights(data.train.labels, len(data.classes), recipe.balance),
            distillation=distillation(recipe, teacher),
        )
        self._resting = resting(network, initial) if recipe.head_epochs else []
        self._checked = False
        feed = make_feed(data, recipe, self.augmentation, device=runtime.device, seed=seed)
        self.batches = Batches(data, recipe, feed, seed=seed, group=self.group)
        self.average = self._average()
        check_recipe(self)

    @property
    def over(self) -> bool:
        """Whether the run is at its end."""
        return is_over(self.recipe, self.progress)

    def run(self, observer: Observer) -> bool:
        """Train from where the run stands to the end.

        Returns:
            Whether the end was reached; False after `stop` was set.

        Raises:
            TrainingError: The loss or a gradient is not finite.
        """
        self.check_arithmetic()
        while not self.over:
            note_phase(self.phases, self.recipe, self.progress, str(self.runtime))
            if not self._epoch(observer):
                return False
            observer.epoch(self, self.progress.history[-1])
        return True

    def _average(self) -> WeightAverage | None:
        steps = self.recipe.average * self.batches.per_epoch
        return WeightAverage(list(self.network.parameters()), steps) if steps else None

    def check_arithmetic(self) -> None:
        """Try, once, every convolution of a step; `runtime` then avoids what is wrong here.

        `run` begins with it. The processes of a group must do it together.

        Raises:
            TrainingError: One is wrong in every way that is known; see `arithmetic`.
        """
        if not self._checked:
            sizes = (crop_size(self.recipe, share) for share in (0.0, 1.0))
            self.runtime = self.computation.check_arithmetic(self.batches.trial(sizes))
            self._checked = True

    def evaluate(self, images: ImageSet | StreamedSet, *, exact: bool = False) -> float:
        """Return the share of images classified correctly, between 0 and 1.

        The processes of a group share the work, and each returns the same.

        Args:
            images: Of the size the network expects.
            exact: Compute in float32 whatever the runtime's precision.
        """
        self.network.eval()
        slices = evaluation_passes(len(images), max(self.preprocessing.crop))
        own = slices[self.group.rank :: self.group.world]
        labels = torch.from_numpy(images.labels)
        correct = torch.zeros((), dtype=torch.int64, device=self.runtime.device)
        for part, pixels in zip(own, images.parts(own), strict=True):
            correct += self.computation.correct(torch.from_numpy(pixels), labels[part], exact=exact)
        self.group.add(correct)
        return int(correct) / len(images)

    def probabilities(
        self, images: ImageSet | StreamedSet
    ) -> Iterator[tuple[slice, npt.NDArray[np.uint8], npt.NDArray[np.float32]]]:
        """Yield which images, their pixels (N, H, W, 3), and the answers on them (N, classes).

        This process computes all of them, in float32.

        Args:
            images: Of the size the network expects.
        """
        self.network.eval()
        slices = evaluation_passes(len(images), max(self.preprocessing.crop))
        for part, pixels in zip(slices, images.parts(slices), strict=True):
            logits = self.computation.logits(torch.from_numpy(pixels), exact=True)
            yield part, pixels, logits.softmax(1).cpu().numpy()

    def _epoch(self, observer: Observer) -> bool:
        progress, started = self.progress, time.monotonic()
        before = progress.seconds, progress.epoch_seconds
        self.network.train()
        begun = done_before_epoch(self.recipe, progress)
        self.computation.set_drop_path(drop_path(self.recipe, begun))
        self.computation.set_real_weights(has_real_weights(self.recipe, begun))
        self.augmentation.size = crop_size(self.recipe, begun)
        with closing(self.batches(progress.epoch, first=progress.step)) as batches:
            for batch in batches:
                stop = self._step(batch)
                spent = time.monotonic() - started
                progress.seconds, progress.epoch_seconds = (t + spent for t in before)
                if progress.step % _CHECK_EVERY == 0 or progress.step == self.batches.per_epoch:
                    observer.step(self, *self._means())
                if stop:
                    return False
                if self.over:
                    break
        self._finish_epoch(started=time.monotonic())
        return True

    def _finish_epoch(self, *, started: float) -> None:
        progress = self.progress
        loss, accuracy = self._means()
        progress.epoch += 1
        row: Row = {
            "epoch": progress.epoch,
            "lr": self.optimizer.param_groups[0]["lr"],
            "train_loss": loss,
            "train_accuracy": accuracy,
        }
        measure(self, row)
        evaluation = time.monotonic() - started
        progress.seconds += evaluation
        row["seconds"] = progress.seconds
        row["epoch_seconds"] = progress.epoch_seconds + evaluation
        images = progress.step * self.batches.size
        row["images_per_second"] = images / max(progress.epoch_seconds, 1e-9)
        progress.history.append(row)
        row["estimated_seconds"] = estimate(self.recipe, progress)
        progress.step, progress.loss, progress.correct, progress.epoch_seconds = 0, 0.0, 0, 0.0

    def _step(self, batch: Batch) -> bool:
        """Take one step; return whether to stop, of which all processes think alike."""
        progress, per_epoch = self.progress, self.batches.per_epoch
        epochs = progress.epoch + progress.step / per_epoch
        share = done(self.recipe, progress, per_epoch)
        rate, momentum = rate_and_momentum(self.recipe, share, epochs)
        set_rate(self.optimizer, rate, momentum)
        sums = self.computation.gradients(
            batch,
            label_smoothing=self.recipe.label_smoothing,
            stop=self.stop,
            mix=mixed_share(self.recipe, self.seed, progress.epoch, progress.step),
        )
        if not (sums.finite and math.isfinite(sums.loss)):
            where = f"epoch {progress.epoch + 1}, step {progress.step + 1}"
            raise self.computation.not_finite(sums, f"{where} (learning rate {rate:.4g})")
        if self.after_gradients is not None:
            self.after_gradients()
        self._rest()
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        progress.step += 1
        progress.loss += sums.loss
        progress.correct += sums.correct
        # A signal during the step; in a group the others would not know of it.
        return sums.stop or (self.stop and self.group.world == 1)

    def _rest(self) -> None:
        """Keep trained layers as they are while new ones are trained alone."""
        if self.progress.epoch < self.recipe.head_epochs:
            for parameter in self._resting:
                # Without a gradient no optimizer moves it, nor decays it.
                parameter.grad = None

    def _means(self) -> tuple[float, float]:
        steps = max(self.progress.step, 1)
        return self.progress.loss / steps, self.progress.correct / (steps * self.batches.size)
