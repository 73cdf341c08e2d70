"""OpenVINO's BinaryConvolution behind a sign, as a graph of its own.

Its CPU plugin (2026.4) has limits: the sign is a FakeQuantize with levels 0 and 1 and one
threshold per channel (levels -1 and 1 are computed in floats, and a single threshold crashes), and
channels come in eights (others give wrong sums), so more are added whose signs cancel out.

Shapes: C channels in, O channels out, k kernel width. Images are (1, H, W, C): the operator works
channels last, and other layouts would charge it for a reordering that a network does not have.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
from openvino import opset1 as op

from bnas_deploy.rivals import openvino

__all__ = ["call_only", "convolution", "image"]

BELOW_ZERO = np.float32(-1e-37)  # FakeQuantize asks for x > threshold, and sign(0) is +1
CHANNELS_FIRST, CHANNELS_LAST = np.array([0, 3, 1, 2]), np.array([0, 2, 3, 1])
BYTE = 8


def convolution(shape: dict[str, Any], weight: np.ndarray) -> ov.CompiledModel:
    """Compile sign and binary convolution: `image(x)` to dot products (1, H', W', O).

    Args:
        shape: An entry of shapes.json.
        weight: Signs (O, C, k, k), float32.
    """
    weight = _even_channels(weight)
    channels = weight.shape[1]
    x = op.parameter([1, shape["height"], shape["width"], channels], np.float32)
    bits = _sign(op.transpose(x, CHANNELS_FIRST), channels)
    stride, padding, dilation = ([shape[key]] * 2 for key in ("stride", "padding", "dilation"))
    # Pad value 0 leaves taps outside the image out of the sum, as zero padding after a sign does.
    dot = op.binary_convolution(
        bits, _bits(weight > 0), stride, padding, padding, dilation, "xnor-popcount", 0.0
    )
    return openvino.compiled(ov.Model([op.transpose(dot, CHANNELS_LAST)], [x], "binary"))


def image(x: np.ndarray) -> np.ndarray:
    """Lay (1, C, H, W) out as `convolution` takes it."""
    last = x.transpose(0, 2, 3, 1)
    added = -x.shape[1] % BYTE
    return np.ascontiguousarray(np.pad(last, ((0, 0), (0, 0), (0, 0), (0, added))))


def _even_channels(weight: np.ndarray) -> np.ndarray:
    """Add channels up to a multiple of 8, half of them +1 and half -1: their inputs are equal."""
    added = -weight.shape[1] % BYTE
    if added % 2:
        msg = f"an even number of channels is needed, got {weight.shape[1]}"
        raise ValueError(msg)
    size = (weight.shape[0], added // 2, *weight.shape[2:])
    return np.concatenate([weight, np.full(size, 1.0), np.full(size, -1.0)], axis=1)


def _sign(x: ov.Node, channels: int) -> ov.Node:
    """What the plugin runs as a packing."""
    threshold = op.constant(np.full((1, channels, 1, 1), BELOW_ZERO))
    low, high = (op.constant(np.full((1, 1, 1, 1), level, np.float32)) for level in (0, 1))
    return op.fake_quantize(x, threshold, threshold, low, high, 2)


def _bits(weight: np.ndarray) -> ov.Node:
    """A constant of one-bit weights; the operator reads a byte from its lowest bit."""
    tensor = ov.Tensor(ov.Type.u1, ov.Shape(weight.shape))
    tensor.data.reshape(-1)[:] = np.packbits(weight.reshape(-1), bitorder="little")
    return ov.op.Constant(tensor)


def call_only() -> ov.CompiledModel:
    """Compile a graph that computes next to nothing: what a call costs."""
    x = op.parameter([1, 1, 1, 1], np.float32)
    return openvino.compiled(ov.Model([op.relu(x)], [x], "call"))
