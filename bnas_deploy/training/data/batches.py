"""The batches of a run: which images each step has, divided into passes and among processes."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from itertools import islice

import torch
from torch import Tensor

from bnas_deploy.training.data.feed import Feed, Part, plan
from bnas_deploy.training.data.images import ImageData
from bnas_deploy.training.data.stream import StreamedData
from bnas_deploy.training.machine.parallel import Group
from bnas_deploy.training.recipes.recipe import Recipe

__all__ = ["Batch", "Batches"]

Batch = list[tuple[Tensor, Tensor, Part]]
"""Images (N, H, W, 3) uint8, labels (N,) and place of each pass of a step."""


class Batches:
    """Makes the batches of any epoch, from any step of it on.

    Args:
        data: The images.
        recipe: Its batch, passes and crops.
        feed: Where the images come from, cropped and flipped.
        seed: Of their order.
        group: The processes; each makes its part.

    Attributes:
        size: Images a step: the recipe's, or all if there are fewer.
        per_epoch: Full batches an epoch; a last partial one is left out.
    """

    def __init__(
        self,
        data: ImageData | StreamedData,
        recipe: Recipe,
        feed: Feed,
        *,
        seed: int,
        group: Group,
    ) -> None:
        self.size = min(recipe.batch, len(data.train))
        self.per_epoch = len(data.train) // self.size
        self._images = data.train
        self._labels = torch.from_numpy(data.train.labels)
        self._recipe = recipe
        self._feed = feed
        self._seed = seed
        self._group = group

    def __call__(self, epoch: int, *, first: int = 0) -> Generator[Batch, None, None]:
        """Yield for each step what its passes need: images, labels, and which part it is."""
        passes = self._recipe.accumulate
        order = self._permutation(epoch)
        parts = plan(order, batch=self.size, passes=passes, group=self._group)[first * passes :]
        with closing(self._feed(parts, epoch=epoch)) as images:
            made = ((x, self._labels[p.own], p) for x, p in zip(images, parts, strict=True))
            while batch := list(islice(made, passes)):
                yield batch

    def trial(self, sizes: Iterable[int] = (0,)) -> Batch:
        """Return passes of the first images, one of each length and size that steps have.

        Args:
            sizes: Pixels of the crops; 0: those of the images.
        """
        order, passes = torch.arange(self.size), self._recipe.accumulate
        parts = plan(order, batch=self.size, passes=passes, group=self._group)
        chosen = list({len(part.own): part for part in parts}.values())
        slices = [slice(int(part.own[0]), int(part.own[-1]) + 1) for part in chosen]
        images = list(map(torch.from_numpy, self._images.parts(slices)))
        return [
            (x[:, :size, :size] if size else x, self._labels[p.own], p)
            for x, p in zip(images, chosen, strict=True)
            for size in sorted(set(sizes))
        ]

    def _permutation(self, epoch: int) -> Tensor:
        # The order depends on the seed and the epoch alone, so that a run resumes inside an epoch.
        order = torch.Generator().manual_seed(self._seed * 1_000_003 + epoch)
        return torch.randperm(len(self._images), generator=order)
