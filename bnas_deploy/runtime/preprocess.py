"""From a picture to a network's input, as docs/format.md says, also for training.

Shapes: H W of the crop, C = 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import ImageError
from bnas_deploy.format.program import Preprocessing
from bnas_deploy.runtime.images import Picture, describe, open_rgb

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["normalise", "read_pixels", "resize_and_crop"]

PIXEL_LIMIT = 2**26
"""Largest resized picture; only pictures thousands of times longer than wide reach it."""


def read_pixels(
    picture: Picture, preprocessing: Preprocessing, name: str | None = None
) -> npt.NDArray[np.uint8]:
    """Decode a picture, resize it and cut out the centre.

    Args:
        picture: What to read.
        preprocessing: Sizes to reach.
        name: What to call it in errors (default: its path, or its kind).

    Returns:
        uint8 (H, W, 3).

    Raises:
        ImageError: It cannot be read, or is too elongated.
    """
    name = name or describe(picture)
    return resize_and_crop(open_rgb(picture, name), preprocessing, name)


def resize_and_crop(
    image: PilImage, preprocessing: Preprocessing, name: str
) -> npt.NDArray[np.uint8]:
    """Resize so that the shorter side fits, and cut out the centre.

    The longer side becomes round(longer * resize / shorter) pixels; the crop starts at
    floor((size - crop) / 2).

    Args:
        image: Picture of mode RGB.
        preprocessing: Sizes to reach.
        name: What to call it in errors.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ImageError: The picture is so elongated that its resized form would not fit in memory.
    """
    from PIL import Image  # noqa: PLC0415

    width, height = _resized(image.size, preprocessing.resize, name)
    if (width, height) != image.size:
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    crop_height, crop_width = preprocessing.crop
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    return np.asarray(image.crop((left, top, left + crop_width, top + crop_height)))


def normalise(
    pixels: npt.NDArray[np.uint8], preprocessing: Preprocessing
) -> npt.NDArray[np.float32]:
    """Map uint8 (N, H, W, 3) to float32 (N, 3, H, W): x / 255, minus mean, over std."""
    x = pixels.astype(np.float32) / np.float32(255)
    x -= np.asarray(preprocessing.mean, np.float32)
    x /= np.asarray(preprocessing.std, np.float32)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def _resized(size: tuple[int, int], shorter_side: int, name: str) -> tuple[int, int]:
    shorter, longer = min(size), max(size)
    longer_side = round(longer * (shorter_side / shorter))
    if shorter_side * longer_side > PIXEL_LIMIT:
        msg = f"{name}: {size[0]} x {size[1]} pixels are too elongated to be resized"
        raise ImageError(msg)
    if size[0] <= size[1]:
        return shorter_side, longer_side
    return longer_side, shorter_side
