"""Numba kernels: dot products of the binary depthwise convolution.

Shapes: T = kh*kw taps, S bytes between planes.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.numba.jit import compiled
from bnas_deploy.engine.numba.kernels.gather import span
from bnas_deploy.engine.numba.plan import Array
from bnas_deploy.format.steps import Pair

__all__ = ["depthwise_dots"]


@compiled
def depthwise_dots(
    x: Array,
    weight: Array,
    size: Pair,
    out: Pair,
    kernel: Pair,
    stride: Pair,
    padding: tuple[int, ...],
    dilation: Pair,
    dot: Array,
) -> None:
    """Dot products (C, S') int32 of byte planes x (ceil(C / 8), S) and bits, weight (C, T) uint8.

    A tap outside the image adds nothing; what lies behind the last pixel is left as it is.
    """
    for c in range(weight.shape[0]):
        plane, shift, sums = x[c >> 3], np.uint8(c & 7), dot[c]
        sums[: out[0] * out[1]] = 0
        for tap in range(weight.shape[1]):
            down = tap // kernel[1] * dilation[0] - padding[0]
            right = tap % kernel[1] * dilation[1] - padding[1]
            rows = span(size[0], out[0], stride[0], down)
            columns = span(size[1], out[1], stride[1], right)
            negative = weight[c, tap]
            for oy in range(rows[0], rows[1]):
                source = (oy * stride[0] + down) * size[1] + right
                at = oy * out[1]
                for ox in range(columns[0], columns[1]):
                    differ = ((plane[source + ox * stride[1]] >> shift) & 1) ^ negative
                    sums[at + ox] += np.int32(1) - (np.int32(differ) << 1)
