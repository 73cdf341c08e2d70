"""From a picture to a network's input, as docs/format.md says, also for training.

Shapes: H W of the crop, C channels of the network's input: 3 for RGB, 1 for grey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import FormatError, ImageError, UsageError
from bnas_deploy.format.program import Preprocessing
from bnas_deploy.runtime.images import Picture, describe, open_rgb

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["check_pixels", "normalise", "read_pixels", "resize_and_crop"]

PICTURES = (1, 3)
"""Channels of inputs that a picture becomes: grey and RGB."""

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
        uint8 (H, W, C).

    Raises:
        ImageError: It cannot be read, or is too elongated.
        FormatError: The network's input is no picture.
    """
    name = name or describe(picture)
    channels = len(preprocessing.mean)
    if channels not in PICTURES:
        raise FormatError(_no_picture(preprocessing))
    if channels == 3:
        return resize_and_crop(open_rgb(picture, name), preprocessing, name)
    # Pillow's L: (19595 R + 38470 G + 7471 B + 32768) >> 16, which leaves a grey as it is.
    grey = open_rgb(_with_colours(picture), name).convert("L")
    return resize_and_crop(grey, preprocessing, name)


def resize_and_crop(
    image: PilImage, preprocessing: Preprocessing, name: str
) -> npt.NDArray[np.uint8]:
    """Resize so that the shorter side fits, and cut out the centre.

    The longer side becomes round(longer * resize / shorter) pixels; columns are resized before
    rows; the crop starts at floor((size - crop) / 2).

    Args:
        image: Picture of mode RGB or L.
        preprocessing: Sizes to reach.
        name: What to call it in errors.

    Returns:
        uint8 (H, W, 3), or (H, W, 1) of mode L.

    Raises:
        ImageError: The picture is so elongated that its resized form would not fit in memory.
    """
    from PIL import Image  # noqa: PLC0415

    width, height = _resized(image.size, preprocessing.resize, name)
    # One side at a time: which one call takes first depends on Pillow's version and the shape.
    for size in ((width, image.height), (width, height)):
        if size != image.size:
            image = image.resize(size, Image.Resampling.BILINEAR)
    crop_height, crop_width = preprocessing.crop
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    pixels = np.asarray(image.crop((left, top, left + crop_width, top + crop_height)))
    return pixels.reshape(crop_height, crop_width, -1)


def check_pixels(pixels: object, input_shape: tuple[int, int, int]) -> None:
    """Check that these are pictures for `normalise`: a list of uint8 (H, W, C).

    Raises:
        UsageError: They are not.
    """
    channels, *sides = input_shape
    shape = (*sides, channels)
    if isinstance(pixels, (list, tuple)) and all(
        isinstance(x, np.ndarray) and x.shape == shape and x.dtype == np.uint8 for x in pixels
    ):
        return
    msg = f"expected a list of uint8 arrays {shape}, as `pixels` gives them"
    raise UsageError(msg)


def normalise(
    pixels: npt.NDArray[np.uint8], preprocessing: Preprocessing
) -> npt.NDArray[np.float32]:
    """Map uint8 (N, H, W, C) to float32 (N, C, H, W): x / 255, minus mean, over std."""
    x = pixels.astype(np.float32) / np.float32(255)
    x -= np.asarray(preprocessing.mean, np.float32)
    x /= np.asarray(preprocessing.std, np.float32)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def _with_colours(picture: Picture) -> Picture:
    """A grey array (H, W) or (H, W, 1) as RGB; anything else as it is."""
    if not isinstance(picture, np.ndarray) or picture.ndim not in (2, 3):
        return picture
    pixels = picture[..., None] if picture.ndim == 2 else picture
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else picture


def _no_picture(preprocessing: Preprocessing) -> str:
    channels, (height, width) = len(preprocessing.mean), preprocessing.crop
    return (
        f"the model's input has {channels} channels, and a picture has 3, or 1 in grey; make the"
        f" inputs yourself, a float32 array (N, {channels}, {height}, {width}), normalised as the"
        " model takes it, for run() of bnas_deploy.load(...), or in a .npy file for --check-images"
        " and --calibrate"
    )


def _resized(size: tuple[int, int], shorter_side: int, name: str) -> tuple[int, int]:
    shorter, longer = min(size), max(size)
    longer_side = round(longer * (shorter_side / shorter))
    if shorter_side * longer_side > PIXEL_LIMIT:
        msg = f"{name}: {size[0]} x {size[1]} pixels are too elongated to be resized"
        raise ImageError(msg)
    if size[0] <= size[1]:
        return shorter_side, longer_side
    return longer_side, shorter_side
