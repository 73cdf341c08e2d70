"""Windows that move over an image (N, H, W, C), and what each of their taps sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tflite

from bnas_deploy.converters.graph.nodes import Array

__all__ = ["Tap", "Window"]


class Tap(NamedTuple):
    """One place of a window: its row, its column, and (N, out H, out W, C) what it sees."""

    row: int
    column: int
    seen: Array


@dataclass(frozen=True)
class Window:
    """A window.

    Attributes:
        size: Rows and columns.
        stride: How far it moves.
        dilation: The distance of its taps.
        padding: TensorFlow Lite's number for SAME or VALID.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    padding: int
    dilation: tuple[int, int] = (1, 1)

    def taps(self, image: Array, around: float) -> Iterator[Tap]:
        """Yield every tap; `around` is what lies outside the image."""
        (top, bottom, rows), (left, right, columns) = (
            self._axis(axis, image.shape[1 + axis]) for axis in range(2)
        )
        borders = ((0, 0), (top, bottom), (left, right), (0, 0))
        whole = np.pad(image, borders, constant_values=around)
        (down, across), (dy, dx) = self.stride, self.dilation
        for y in range(self.size[0]):
            for x in range(self.size[1]):
                own = slice(y * dy, y * dy + (rows - 1) * down + 1, down)
                other = slice(x * dx, x * dx + (columns - 1) * across + 1, across)
                yield Tap(y, x, whole[:, own, other])

    def _axis(self, axis: int, extent: int) -> tuple[int, int, int]:
        """Pixels before and behind, and how often the window fits."""
        reach = (self.size[axis] - 1) * self.dilation[axis] + 1
        step = self.stride[axis]
        if self.padding == tflite.Padding.VALID:
            return 0, 0, (extent - reach) // step + 1
        count = -(-extent // step)
        missing = max(0, (count - 1) * step + reach - extent)
        return missing // 2, missing - missing // 2, count
