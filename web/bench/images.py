"""Images for the benchmark in the browser, by a formula that pages/images.js has as well."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["image"]


def image(index: int, size: int) -> npt.NDArray[np.float32]:
    """Return noise of mean 0 and variance 1, float32 (1, 3, size, size); the same in JavaScript.

    Args:
        index: Which; each has other noise.
        size: Height and width.
    """
    count = 3 * size * size
    mixed = np.arange(count, dtype=np.uint32) + np.uint32(index * count)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        mixed = (mixed ^ (mixed >> np.uint32(shift))) * np.uint32(factor)
    uniform = mixed / 2.0**32 * 2 - 1
    return (uniform * math.sqrt(3)).astype(np.float32).reshape(1, 3, size, size)
