"""Numba kernels: gather what each tap of a window sees, bytes or floats.

Shapes: G planes, S elements between planes, sizes and all other pairs are (y, x).
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.numba.jit import compiled, copy_elements
from bnas_deploy.engine.numba.plan import Array
from bnas_deploy.format.steps import Pair

__all__ = ["gather"]


@compiled
def span(size: int, out: int, stride: int, shift: int) -> tuple[int, int]:
    """First, and last + 1, of the outputs whose source ``o * stride + shift`` is inside."""
    first = min(out, max(0, (stride - 1 - shift) // stride))
    return first, max(first, min(out, (size - 1 - shift) // stride + 1))


@compiled
def gather(
    x: Array,
    size: Pair,
    out: Pair,
    kernel: Pair,
    stride: Pair,
    padding: tuple[int, ...],
    dilation: Pair,
    tap_first: bool,
    outside: Array,
    planes: Array,
) -> None:
    """Copy planes (G, S') of an image to (kh*kw*G, S): per tap what each output pixel sees.

    Outside the image that is outside[g], of the same dtype.
    Rows are in (tap, g) order, or in (g, tap) order where `tap_first`: the tap runs fastest.
    """
    groups, taps = x.shape[0], kernel[0] * kernel[1]
    for tap in range(taps):
        down = tap // kernel[1] * dilation[0] - padding[0]
        right = tap % kernel[1] * dilation[1] - padding[1]
        rows = span(size[0], out[0], stride[0], down)
        columns = span(size[1], out[1], stride[1], right)
        for g in range(groups):
            target = planes[g * taps + tap if tap_first else tap * groups + g]
            if stride[0] == 1 and stride[1] == 1 and out[1] == size[1]:
                shift_plane(
                    x[g], size, out, rows, columns, down * size[1] + right, outside[g], target
                )
            else:
                pick_pixels(x[g], size, out, rows, columns, stride, down, right, outside[g], target)


@compiled
def shift_plane(
    x: Array,
    size: Pair,
    out: Pair,
    rows: Pair,
    columns: Pair,
    shift: int,
    outside: np.generic,
    y: Array,
) -> None:
    """One tap of one plane where rows keep their length: one copy, then the border."""
    width = out[1]
    begin, end = rows[0] * width, rows[1] * width
    y[:begin] = outside
    start = max(begin, -shift)
    copy_elements(y, start, x, start + shift, min(end, size[0] * width - shift) - start)
    y[end : out[0] * width] = outside
    for oy in range(rows[0], rows[1]):
        for ox in range(columns[0]):
            y[oy * width + ox] = outside
        for ox in range(columns[1], width):
            y[oy * width + ox] = outside


@compiled
def pick_pixels(
    x: Array,
    size: Pair,
    out: Pair,
    rows: Pair,
    columns: Pair,
    stride: Pair,
    down: int,
    right: int,
    outside: np.generic,
    y: Array,
) -> None:
    """One tap of one plane, pixel by pixel."""
    y[: out[0] * out[1]] = outside
    for oy in range(rows[0], rows[1]):
        source = (oy * stride[0] + down) * size[1] + right
        for ox in range(columns[0], columns[1]):
            y[oy * out[1] + ox] = x[source + ox * stride[1]]
