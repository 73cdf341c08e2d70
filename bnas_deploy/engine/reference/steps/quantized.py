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
    taps_of,
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
    x, weight = state.values[s.input], state.tensors[s.weight]
    n, c, _, _ = x.shape
    o, _, kh, kw = weight.shape
    _, ho, wo = state.shapes[s.output]
    terms = state.tensors[s.input_scale], state.tensors[s.input_zero]
    q, outside = quantize_input(x, *terms), quantize_input(np.zeros((1, c, 1, 1), "f4"), *terms)
    # As if all were outside the image, then what is inside instead of that.
    every = weight.sum(axis=(2, 3), dtype=np.int64) @ outside.reshape(c)
    acc = np.zeros((n, o, ho, wo), np.int64) + per_channel(state.tensors[s.offset] + every)
    for (ky, kx), to, source in taps_of(x.shape[2:], (ho, wo), s, (kh, kw)):
        patch = q[source] - outside
        y_x = patch.shape[2:]
        tap = weight[:, :, ky, kx].astype(np.int64) @ patch.reshape(n, c, y_x[0] * y_x[1])
        acc[to] += tap.reshape(n, o, *y_x)
    y = acc.astype(np.float32) * per_channel(state.tensors[s.scale])
    return {s.output: activate(y, s.activation)}
