"""Training images in the order of an epoch, cropped and on their device.

Shapes: images (N, H, W, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from bnas_deploy.errors import UsageError
from bnas_deploy.training.data.augment import Augmentation
from bnas_deploy.training.data.crops import RandomCrop
from bnas_deploy.training.data.images import ImageData, ImageSet
from bnas_deploy.training.data.stream import StreamedData, StreamedSet
from bnas_deploy.training.machine.parallel import Group, share
from bnas_deploy.training.recipes.recipe import Recipe

__all__ = [
    "Feed",
    "MemoryFeed",
    "Part",
    "StreamFeed",
    "make_feed",
    "plan",
    "to_device",
]

_DEVICE_SHARE = 0.25
"""Images in memory go to the GPU as a whole if they fill no more of what is free there."""


@dataclass(frozen=True)
class Part:
    """What one process computes in one pass of a step.

    Attributes:
        chosen: Indices (M,) of the images that all processes together compute in this pass.
        first: Where this process's images begin among them.
        last: Where they end.
    """

    chosen: Tensor
    first: int
    last: int

    @property
    def own(self) -> Tensor:
        """Indices of this process's images."""
        return self.chosen[self.first : self.last]


class Feed(Protocol):
    """A source of training images."""

    def __call__(self, parts: Iterable[Part], *, epoch: int) -> Generator[Tensor, None, None]:
        """Return each part's own images, cropped and flipped."""


class MemoryFeed:
    """Images that are held in memory; on the GPU if there is room.

    Every process draws the crops of all images and uses its own, so that they are those of a
    single process.
    """

    def __init__(self, images: ImageSet, augmentation: Augmentation, device: str) -> None:
        self._images = torch.from_numpy(images.images)
        if device == "cuda" and _fits(self._images):
            self._images = self._images.to(device)
        self._augmentation = augmentation

    def __call__(self, parts: Iterable[Part], *, epoch: int) -> Generator[Tensor, None, None]:
        """Return each part's own images, cropped and flipped."""
        for part in parts:
            images = self._images[part.own.to(self._images.device)]
            yield self._augmentation(images, first=part.first, total=len(part.chosen))


class StreamFeed:
    """Images that are decoded as they are needed."""

    def __init__(self, images: StreamedSet, crop: RandomCrop, seed: int) -> None:
        self._images = images
        self._crop = crop
        self._seed = seed

    def __call__(self, parts: Iterable[Part], *, epoch: int) -> Generator[Tensor, None, None]:
        """Return each part's own images, cropped and flipped."""
        own = (part.own.numpy() for part in parts)
        with closing(self._images.crops(own, self._crop, seed=self._seed, epoch=epoch)) as crops:
            yield from map(torch.from_numpy, crops)


def make_feed(
    data: ImageData | StreamedData,
    recipe: Recipe,
    augmentation: Augmentation,
    *,
    device: str,
    seed: int,
) -> Feed:
    """Choose the feed for a data set.

    Raises:
        UsageError: The recipe wants crops of random size, and the images are in memory.
    """
    if isinstance(data, StreamedData):
        size = data.train.size
        crop = RandomCrop(size, recipe.crop_area, recipe.crop_padding, recipe.flip)
        return StreamFeed(data.train, crop, seed)
    if recipe.crop_area > 0:
        msg = (
            "recipe: crop_area above 0 (crops of random size, as for ImageNet) needs images read"
            " from a folder as they are used (--stream on); these are in memory, cut to size:"
            " set crop_area to 0 and crop_padding to some pixels"
        )
        raise UsageError(msg)
    return MemoryFeed(data.train, augmentation, device)


def plan(order: Tensor, *, batch: int, passes: int, group: Group) -> list[Part]:
    """Divide an epoch's images into batches, each into passes, and those among the processes.

    Args:
        order: Indices of the images; a last partial batch is left out.
        batch: Images a step.
        passes: Of each step.
        group: The processes; every one has its own plan.

    Returns:
        The parts of one process, `passes` of them for each step.
    """
    parts = []
    for step in range(len(order) // batch):
        for index in range(passes):
            first, last = share(batch, index, passes)
            own = share(last - first, group.rank, group.world)
            parts.append(Part(order[step * batch + first : step * batch + last], *own))
    return parts


def to_device(images: Tensor, device: str) -> Tensor:
    """Move images to where they are used; to a GPU without waiting for it."""
    if device == "cuda" and images.device.type == "cpu":
        return images.pin_memory().to(device, non_blocking=True)
    return images.to(device)


def _fits(images: Tensor) -> bool:
    free, _ = torch.cuda.mem_get_info()
    return images.nbytes <= _DEVICE_SHARE * free
