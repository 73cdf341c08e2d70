"""How even the classes of the training images are, and weights that make up for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["UNEVEN", "class_weights", "told_of_classes"]

UNEVEN = 3.0
"""From this ratio of the largest class to the smallest on, people are told."""


def class_weights(
    labels: npt.NDArray[np.int64], classes: int, balance: str = "weights"
) -> Tensor | None:
    """Return what an image of each class counts, (classes,) float32; None: all images alike.

    Under `weights` all classes count alike, and the mean over the images is 1. Every class must
    have an image.
    """
    if balance == "none":
        return None
    counts = np.bincount(labels, minlength=classes)
    return torch.from_numpy(len(labels) / (classes * counts)).float()


def told_of_classes(
    labels: npt.NDArray[np.int64], classes: Sequence[str], balance: str
) -> list[str]:
    """Return a line for people if the classes are uneven."""
    counts = np.bincount(labels, minlength=len(classes))
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] <= UNEVEN * counts[least]:
        return []
    done = "rare ones weigh more" if balance == "weights" else "see --balance weights"
    line = (
        f"classes are uneven: {classes[most]} has {counts[most]} images to learn from,"
        f" {classes[least]} has {counts[least]}; {done}"
    )
    return [line]
