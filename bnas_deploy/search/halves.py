"""The two halves of the training images: one for the weights, one for the architecture.

Images are in memory, and a batch is an index into them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bnas_deploy.errors import DataError
from bnas_deploy.training.data.images import ImageSet

__all__ = [
    "Batch",
    "Halves",
    "split_halves",
]

Batch = tuple[Tensor, Tensor]
"""Images (N, H, W, 3) uint8 and labels (N,) int64."""


@dataclass(frozen=True)
class Halves:
    """Two sets of the same length without an image in common.

    Attributes:
        weights: Images that the weights learn from.
        architecture: Images that the architecture parameters learn from.
    """

    weights: ImageSet
    architecture: ImageSet

    def batches(
        self, batch: int, *, seed: int, epoch: int, first: int = 0
    ) -> Iterator[tuple[Batch, Batch]]:
        """Yield an architecture batch and a weight batch for each step of an epoch.

        The order depends on seed and epoch alone, so that a search resumes inside an epoch. A last
        partial batch is left out.

        Args:
            batch: Images of either.
            seed: Of the search.
            epoch: Counted from 0.
            first: Steps that are done already.
        """
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        orders = [
            torch.randperm(len(self.weights), generator=generator),
            torch.randperm(len(self.architecture), generator=generator),
        ]
        for step in range(first, len(self.weights) // batch):
            weights, architecture = (order[step * batch : (step + 1) * batch] for order in orders)
            yield _take(self.architecture, architecture), _take(self.weights, weights)


def split_halves(images: ImageSet, seed: int) -> Halves:
    """Split images at random into two halves (Section 5.1); an odd one is left out.

    Raises:
        DataError: There are fewer than four images, which leaves no batch of two.
    """
    half = len(images) // 2
    if half < 2:
        msg = f"a search needs at least four training images; got {len(images)}"
        raise DataError(msg)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).numpy()
    parts = (order[:half], order[half : 2 * half])
    return Halves(*(ImageSet(images.images[part], images.labels[part]) for part in parts))


def _take(images: ImageSet, chosen: Tensor) -> Batch:
    index = chosen.numpy()
    return torch.from_numpy(images.images[index]), torch.from_numpy(images.labels[index])
