"""The meaning of the 8-bit convolution.

Shapes: N batch, C in, O out, H W pixels.
"""

from __future__ import annotations

import numpy as np

from bnas_deploy.engine.reference.arithmetic import fma
from bnas_deploy.engine.reference.steps.state import (
    MEANING,
    Array,
    Assigned,
    State,
    activate,
    per_channel,
)
from bnas_deploy.engine.runner import Floats
from bnas_deploy.format.steps import QuantizedConv2d

__all__ = ["quantize_input"]

LARGEST = np.float32(127)


def quantize_input(x: Floats, scale: Floats, zero: Floats) -> Array:
    """(N, C, H, W) float32 to the integers 0 to 127, as int64; NaN gives 0."""
    t = fma(x, per_channel(scale), per_channel(zero))
    t = np.where(t > 0, t, np.float32(0))
    t = np.where(t < LARGEST, t, LARGEST)
    return np.rint(t).astype(np.int64)  # ties to even


@MEANING.of(QuantizedConv2d)
def _quantized_conv2d(s: QuantizedConv2d, state: State) -> Assigned:
    """Integer sums of weights times quantised inputs, then one scale a channel."""
    x, weight = state.values[s.input], state.tensors[s.weight].astype(np.int64)
    n, c, _, _ = x.shape
    o, _, kh, kw = weight.shape
    _, ho, wo = state.shapes[s.output]
    top, left, bottom, right = s.padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    q = quantize_input(x, state.tensors[s.input_scale], state.tensors[s.input_zero])
    acc = np.zeros((n, o, ho * wo), np.int64) + state.tensors[s.offset][:, None]
    (sy, sx), (dy, dx) = s.stride, s.dilation
    for ky in range(kh):
        for kx in range(kw):
            rows = slice(ky * dy, ky * dy + sy * (ho - 1) + 1, sy)
            columns = slice(kx * dx, kx * dx + sx * (wo - 1) + 1, sx)
            patch = q[:, :, rows, columns].reshape(n, c, ho * wo)
            acc += weight[:, :, ky, kx] @ patch
    y = acc.reshape(n, o, ho, wo).astype(np.float32) * per_channel(state.tensors[s.scale])
    return {s.output: activate(y, s.activation)}
