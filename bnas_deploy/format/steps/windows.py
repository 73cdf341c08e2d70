"""What the steps with windows of pixels share: how many pixels come out, and how much work it is.

Numbers come from hostile files: they are bounded before they are used, and Python's integers do
not overflow.
"""

from __future__ import annotations

import math
from typing import Protocol

from bnas_deploy.format.fields import Padding, Pair
from bnas_deploy.format.scope import Scope
from bnas_deploy.format.values import Shape

__all__ = ["FLOAT_WORK", "Window", "output_size", "window_extent", "window_positions"]

WINDOW_LIMIT = 65_536
FLOAT_WORK = 16
"""Of a multiplication of floats, or of what a pool does with an element of a window."""


class Window(Protocol):
    """A step that reads windows of pixels."""

    @property
    def stride(self) -> Pair:
        """Pixels from one window to the next."""

    @property
    def padding(self) -> Padding:
        """Pixels around the image."""

    @property
    def dilation(self) -> Pair:
        """Pixels from one position of a window to the next."""


def window_extent(
    size: int, *, kernel: int, stride: int, before: int, after: int, dilation: int = 1
) -> int:
    """Output pixels along one axis; less than 1 where the window does not fit."""
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


def output_size(s: Window, scope: Scope, shape: Shape, kernel: Pair) -> Pair:
    """Check a window on a value and return the height and width that it makes.

    Raises:
        FormatError: The window is too large, or does not fit into the image.
    """
    scope.extents("kernel", kernel)
    if math.prod(kernel) > WINDOW_LIMIT:
        scope.fail(f"field 'kernel': a window has at most {WINDOW_LIMIT} positions, got {kernel}")
    size = [
        window_extent(
            shape[axis + 1],
            kernel=kernel[axis],
            stride=s.stride[axis],
            before=s.padding[axis],
            after=s.padding[axis + 2],
            dilation=s.dilation[axis],
        )
        for axis in (0, 1)
    ]
    if min(size) < 1:
        scope.fail(f"the window does not fit into {shape[1]} x {shape[2]} pixels and the padding")
    return size[0], size[1]


def window_positions(out: Shape, kernel: tuple[int, ...]) -> int:
    """Pixels of the output times positions of the window."""
    return math.prod(out[1:]) * math.prod(kernel)
