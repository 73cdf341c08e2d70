"""Learning from a teacher's answers (Hinton et al. 2015).

Shapes: images (N, H, W, 3) uint8, logits (N, classes) float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from bnas_deploy.training.data.augment import mixed, normalise
from bnas_deploy.training.model.teacher import Teacher
from bnas_deploy.training.recipes.recipe import Recipe

__all__ = ["Distillation", "distillation", "divergence"]


@dataclass(frozen=True)
class Distillation:
    """A teacher, and how much it counts.

    Attributes:
        teacher: On the device where the student trains.
        share: Of the loss that is the teacher's; the rest is that of the labels.
        temperature: By which both networks' logits are divided.
    """

    teacher: Teacher
    share: float
    temperature: float

    def answers(self, images: Tensor, mix: float) -> Tensor:
        """Return the teacher's logits for the images that the student sees.

        They are computed in the precision of the context around the call.

        Args:
            images: Cropped and mirrored, on the device.
            mix: Share of each image; see `augment.mixed`.
        """
        own = self.teacher.preprocessing
        with torch.no_grad():
            inputs = mixed(normalise(images, own.mean, own.std), mix)
            logits: Tensor = self.teacher.network(inputs)
        return logits.float()

    def loss(self, logits: Tensor, answers: Tensor, weights: Tensor | None) -> Tensor:
        """Return the mean over the images, (), to which `share` applies.

        Args:
            logits: Of the student.
            answers: Of the teacher.
            weights: What each image counts, (N,); None: 1.
        """
        each = self.temperature**2 * divergence(logits, answers, self.temperature)
        return (each if weights is None else each * weights).mean()


def divergence(logits: Tensor, answers: Tensor, temperature: float) -> Tensor:
    """Return KL(softmax(answers / T) || softmax(logits / T)) for each image, (N,)."""
    student, teacher = ((x / temperature).log_softmax(1) for x in (logits, answers))
    return functional.kl_div(student, teacher, reduction="none", log_target=True).sum(1)


def distillation(recipe: Recipe, teacher: Teacher | None) -> Distillation | None:
    """Return how a recipe uses a teacher; None: there is none."""
    if teacher is None:
        return None
    return Distillation(teacher, recipe.distill, recipe.distill_temperature)
