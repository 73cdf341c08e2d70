"""Generated images that a network can learn to tell apart, for the budget `smoke`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bnas_deploy.experiments.budgets import SMOKE_SIDE

if TYPE_CHECKING:
    from bnas_deploy.training.data.images import ImageData, ImageSet

__all__ = ["generated_images"]

TRAIN, TEST = 64, 24
CLASSES = ("blue", "green", "red")


def generated_images() -> ImageData:
    """Return noise whose mean colour tells the class; the same in every call."""
    from bnas_deploy.training.data.images import ImageData  # noqa: PLC0415 - it needs Pillow

    return ImageData("generated images", CLASSES, _images(TRAIN, seed=0), _images(TEST, seed=1))


def _images(count: int, *, seed: int) -> ImageSet:
    from bnas_deploy.training.data.images import ImageSet  # noqa: PLC0415 - as above

    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % len(CLASSES)
    pixels = rng.integers(0, 130, (count, SMOKE_SIDE, SMOKE_SIDE, 3), dtype=np.uint8)
    pixels[np.arange(count), :, :, 2 - labels] += 100
    return ImageSet(pixels, labels)
