"""Random crops and flips of whole batches, and normalisation, on tensors.

Shapes: images (N, H, W, 3) uint8; network inputs (N, 3, H, W) float32 in channels-last memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "Augmentation",
    "mixed",
    "normalise",
]


class Augmentation:
    """Random crop with zero padding and random horizontal flip, from a generator of its own.

    Attributes:
        size: Pixels of crops that are smaller than the images, which are not padded for them; 0:
            crops are as large as the images.
        generator: Its state belongs into a checkpoint.
    """

    def __init__(self, *, padding: int, flip: bool, seed: int) -> None:
        self.padding = padding
        self.size = 0
        self.flip = flip
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, images: Tensor, *, first: int = 0, total: int | None = None) -> Tensor:
        """Return images shifted by up to `padding` pixels, or smaller crops, half of them mirrored.

        Args:
            images: (N, H, W, 3), on any device.
            first: Position of the first of them in the whole batch.
            total: Images of the whole batch, for all of which random numbers are drawn; None: N.
        """
        count, *shape, _ = images.shape
        total = count if total is None else total
        pad, device = 0 if self.size else self.padding, images.device
        padded = functional.pad(images, (0, 0, pad, pad, pad, pad))
        height, width = (self.size or length for length in shape)
        rows = self._offsets(total, padded.shape[1] - height) + torch.arange(height)
        columns = torch.arange(width).expand(total, width)
        if self.flip:
            mirrored = torch.rand(total, 1, generator=self.generator) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        columns = columns + self._offsets(total, padded.shape[2] - width)
        rows, columns = (t[first : first + count].to(device) for t in (rows, columns))
        sample = torch.arange(count, device=device)[:, None, None]
        return padded[sample, rows[:, :, None], columns[:, None, :]]

    def _offsets(self, count: int, most: int) -> Tensor:
        return torch.randint(most + 1, (count, 1), generator=self.generator)


def mixed(inputs: Tensor, mix: float) -> Tensor:
    """Mix each input with that of the image as far from the end: the order is random anyway.

    Args:
        inputs: (N, 3, H, W).
        mix: Share of the input itself.
    """
    return inputs if mix == 1.0 else mix * inputs + (1 - mix) * inputs.flip(0)


def normalise(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Turn bytes into network inputs: (pixel / 255 - mean) / std for each channel.

    Args:
        images: (N, H, W, 3) uint8.
        mean: Three means on the scale 0 to 1.
        std: Three standard deviations on the same scale.

    Returns:
        (N, 3, H, W) float32, channels last in memory.
    """
    scale = 1.0 / (255.0 * torch.tensor(std, device=images.device))
    shift = -torch.tensor(mean, device=images.device) / torch.tensor(std, device=images.device)
    return (images.to(torch.float32) * scale + shift).permute(0, 3, 1, 2)
