"""The meaning of every step but the binary convolution, in plain NumPy; not fast and never to be.

`docs/format.md` is followed word by word. Each function returns the assigned values by name.
Shapes: N batch, C in, O out, H W pixels, P = H*W.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.reference.arithmetic import fma, prelu, relu, sigmoid
from bnas_deploy.engine.runner import Floats
from bnas_deploy.format import steps as op

__all__ = ["State", "activate", "per_channel", "positions", "taps"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class State:
    """What a step can see.

    Attributes:
        values: Assigned so far, (N, C, H, W) float32, or bool where True is -1.
        tensors: The model's.
        shapes: (C, H, W) of every value.
        count: N.
    """

    values: Mapping[str, Array]
    tensors: Mapping[str, Array]
    shapes: Mapping[str, tuple[int, int, int]]
    count: int


def per_channel(v: Array) -> Array:
    """(C,) to (C, 1, 1), to broadcast over pixels."""
    return v[:, None, None]


def activate(x: Floats, activation: str) -> Floats:
    """Apply an activation by its name."""
    return relu(x) if activation == "relu" else x


def affine(s: op.Affine, state: State) -> dict[str, Array]:
    x, scale, shift = state.values[s.input], state.tensors[s.scale], state.tensors[s.shift]
    return {s.output: x * per_channel(scale) + per_channel(shift)}


def relu_step(s: op.Relu, state: State) -> dict[str, Array]:
    return {s.output: relu(state.values[s.input])}


def conv2d(s: op.Conv2d | op.GroupedConv2d, state: State) -> dict[str, Array]:
    x, weight = state.values[s.input], state.tensors[s.weight]
    top, left, bottom, right = s.padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    bias = np.zeros(len(weight), np.float32) if s.bias is None else state.tensors[s.bias]
    parts = (np.split(x, s.groups, axis=1), np.split(weight, s.groups), np.split(bias, s.groups))
    sums = [_group_sums(s, *part, state.shapes[s.output]) for part in zip(*parts, strict=True)]
    return {s.output: activate(np.concatenate(sums, axis=1), s.activation)}


def _group_sums(
    s: op.Conv2d | op.GroupedConv2d, x: Array, weight: Array, bias: Array, shape: tuple[int, ...]
) -> Array:
    """Convolve a padded x."""
    o, c, kh, kw = weight.shape
    _, ho, wo = shape
    acc = np.zeros((len(x), o, ho, wo), np.float32)
    acc[:] = per_channel(bias)
    (sy, sx), (dy, dx) = s.stride, s.dilation
    for ci in range(c):
        for ky in range(kh):
            for kx in range(kw):
                rows = slice(ky * dy, ky * dy + sy * (ho - 1) + 1, sy)
                columns = slice(kx * dx, kx * dx + sx * (wo - 1) + 1, sx)
                patch = x[:, None, ci, rows, columns]  # (N, 1, Ho, Wo)
                acc = fma(per_channel(weight[:, ci, ky, kx]), patch, acc)
    return acc


def prelu_step(s: op.Prelu, state: State) -> dict[str, Array]:
    return {s.output: prelu(state.values[s.input], per_channel(state.tensors[s.slope]))}


def clip(s: op.Clip, state: State) -> dict[str, Array]:
    x = state.values[s.input]
    low, high = (per_channel(state.tensors[name]) for name in (s.low, s.high))
    t = np.where(x > low, x, low)
    return {s.output: np.where(t < high, t, high)}


def sigmoid_step(s: op.Sigmoid, state: State) -> dict[str, Array]:
    return {s.output: sigmoid(state.values[s.input])}


def constant(s: op.Constant, state: State) -> dict[str, Array]:
    value = state.tensors[s.value]
    return {s.output: np.broadcast_to(value, (state.count, *value.shape))}


def binarize(s: op.Binarize, state: State) -> dict[str, Array]:
    x, threshold = state.values[s.input], state.tensors[s.threshold]
    flip = unpack_rows(state.tensors[s.flip], x.shape[1])
    positive = (x >= per_channel(threshold)) != per_channel(flip)
    return {s.output: ~positive}


def positions(k: int, *, size: int, out: int, stride: int, before: int, dilation: int) -> Array:
    """Output positions along one axis for which tap `k` lies inside the image of `size` pixels."""
    source = np.arange(out) * stride + k * dilation - before
    return np.flatnonzero((source >= 0) & (source < size))


def taps(
    size: tuple[int, int],
    out: tuple[int, int],
    s: op.BinaryConvolution | op.MaxPool2d | op.AvgPool2d | op.BinaryMaxPool2d,
) -> Iterator[tuple[tuple[int, int], Any, Any]]:
    """Taps in order, with the output pixels that see them inside the image, and the input pixels.

    Yields:
        (ky, kx), an index of the last two axes of the output, and one of the input.
    """
    for ky in range(s.kernel[0]):
        for kx in range(s.kernel[1]):
            to, source = [], []
            for axis, k in enumerate((ky, kx)):
                stride, before, d = s.stride[axis], s.padding[axis], s.dilation[axis]
                inside = positions(
                    k, size=size[axis], out=out[axis], stride=stride, before=before, dilation=d
                )
                to.append(inside)
                source.append(inside * stride + k * d - before)
            yield (ky, kx), (..., *np.ix_(*to)), (..., *np.ix_(*source))


def max_pool2d(s: op.MaxPool2d, state: State) -> dict[str, Array]:
    x = state.values[s.input]
    c, ho, wo = state.shapes[s.output]
    m = np.full((len(x), c, ho, wo), -np.inf, np.float32)
    for _, to, source in taps(x.shape[2:], (ho, wo), s):
        m[to] = np.where(x[source] > m[to], x[source], m[to])
    return {s.output: m}


def avg_pool2d(s: op.AvgPool2d, state: State) -> dict[str, Array]:
    x = state.values[s.input]
    c, ho, wo = state.shapes[s.output]
    total = np.zeros((len(x), c, ho, wo), np.float32)
    count = np.zeros((ho, wo), np.float32)
    for _, to, source in taps(x.shape[2:], (ho, wo), s):
        total[to] += x[source]
        count[to] += 1
    return {s.output: total / count}


def add_slice(s: op.AddSlice, state: State) -> dict[str, Array]:
    addend = state.values[s.addend]
    y = state.values[s.input].copy()
    y[:, s.at : s.at + addend.shape[1]] += addend
    return {s.output: y}


def mean_magnitude(s: op.MeanMagnitude, state: State) -> dict[str, Array]:
    x, scale, shift = state.values[s.input], state.tensors[s.scale], state.tensors[s.shift]
    factor, rest = state.tensors[s.terms]
    total = np.zeros_like(x[:, :1])
    for c in range(x.shape[1]):
        t = fma(x[:, c : c + 1], scale[c], shift[c])
        total = total + (relu(t) + relu(-t))  # so that NaN is 0
    return {s.output: fma(total, factor, rest)}


def multiply(s: op.Multiply, state: State) -> dict[str, Array]:
    return {s.output: state.values[s.input] * state.values[s.factor]}


def concat(s: op.Concat, state: State) -> dict[str, Array]:
    return {s.output: np.concatenate([state.values[x] for x in s.inputs], axis=1)}


def select_channels(s: op.SelectChannels, state: State) -> dict[str, Array]:
    x, index = state.values[s.input], state.tensors[s.index]
    y = np.zeros((len(x), *state.shapes[s.output]), np.float32)
    y[:, index >= 0] = x[:, index[index >= 0]]
    return {s.output: y}


def global_avg_pool(s: op.GlobalAvgPool, state: State) -> dict[str, Array]:
    c, h, w = state.shapes[s.input]
    x = state.values[s.input].reshape(-1, c, h * w)  # (N, C, P)
    sums = np.zeros((len(x), c, 16), np.float32)
    for start in range(0, h * w, 16):
        chunk = x[..., start : start + 16]
        sums[..., : chunk.shape[-1]] += chunk
    for half in (8, 4, 2, 1):
        sums = sums[..., :half] + sums[..., half : 2 * half]
    return {s.output: (sums / np.float32(h * w))[..., None]}


def linear(s: op.Linear, state: State) -> dict[str, Array]:
    x, weight = state.values[s.input], state.tensors[s.weight]
    o, k = weight.shape
    x = x.reshape(-1, k)  # (N, K)
    acc = np.zeros((len(x), o), np.float32)
    if s.bias is not None:
        acc[:] = state.tensors[s.bias]
    for i in range(k):
        acc = fma(weight[:, i], x[:, i, None], acc)
    return {s.output: acc[:, :, None, None]}
