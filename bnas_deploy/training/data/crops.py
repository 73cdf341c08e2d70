"""From one decoded picture to a training image: random crop and flip.

Unlike `augment`, which crops whole batches of small images, this works on pictures of any size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from bnas_deploy.format.program import Preprocessing
from bnas_deploy.runtime.preprocess import resize_and_crop

__all__ = [
    "RandomCrop",
    "square_sizes",
]

_TRIES = 10
_ASPECT = 4 / 3


@dataclass(frozen=True)
class RandomCrop:
    """Random crop and flip of one picture.

    Attributes:
        size: Pixels of the square that comes out.
        area: Least share of the picture's area that a crop of random size covers, at an aspect
            ratio between 3:4 and 4:3 (Inception's augmentation; 0.08 for ImageNet). 0: none, the
            centre of the resized picture instead.
        padding: Pixels by which the result is then shifted at random, filled with zeros.
        flip: Whether half the pictures are mirrored.
    """

    size: int
    area: float = 0.0
    padding: int = 0
    flip: bool = False

    def __call__(
        self, image: Image.Image, rng: np.random.Generator, name: str
    ) -> npt.NDArray[np.uint8]:
        """Return (size, size, 3) uint8.

        Args:
            image: Of mode RGB.
            rng: The same state gives the same crop.
            name: What to call the picture in errors.

        Raises:
            ImageError: The picture is too elongated (without crops of random size).
        """
        if self.area > 0:
            box = _box(image.size, self.area, rng)
            square = (self.size, self.size)
            resized = image.resize(square, Image.Resampling.BILINEAR, box=box)
            pixels: npt.NDArray[np.uint8] = np.asarray(resized, np.uint8)
        else:
            pixels = resize_and_crop(image, square_sizes(self.size), name)
        if self.padding:
            pixels = self._shift(pixels, rng)
        return pixels[:, ::-1] if self.flip and rng.random() < 0.5 else pixels

    def _shift(
        self, pixels: npt.NDArray[np.uint8], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        pad = self.padding
        padded = np.pad(pixels, ((pad, pad), (pad, pad), (0, 0)))
        top, left = rng.integers(0, 2 * pad + 1, 2)
        return padded[top : top + self.size, left : left + self.size]


def square_sizes(size: int, resize: int | None = None) -> Preprocessing:
    """What `runtime.preprocess` needs to know to cut out a square; the pixels stay bytes.

    Args:
        size: Pixels of the square cut out of the centre.
        resize: Pixels of the shorter side before that; None: `size`.
    """
    return Preprocessing(resize or size, (size, size), (0.0,) * 3, (1.0,) * 3)


def _box(
    size: tuple[int, int], least: float, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Draw left, upper, right, lower; after bad luck, the largest allowed in the centre."""
    width, height = size
    for _ in range(_TRIES):
        area = width * height * rng.uniform(least, 1.0)
        aspect = math.exp(rng.uniform(-math.log(_ASPECT), math.log(_ASPECT)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left = int(rng.integers(0, width - w + 1))
            upper = int(rng.integers(0, height - h + 1))
            return left, upper, left + w, upper + h
    w, h = min(width, round(height * _ASPECT)), min(height, round(width * _ASPECT))
    left, upper = (width - w) // 2, (height - h) // 2
    return left, upper, left + w, upper + h
