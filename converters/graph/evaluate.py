"""Computes a graph with NumPy, so that a pass can be shown to keep its meaning.

It is slow and plain. Values are (N, C, H, W) in the dtype of the graph's constants, bits as -1 and
+1. Float convolutions are summed in float64 and rounded once, so that leaving out channels that are
zero changes nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from bnas_deploy.converters.graph.activations import ACTIVATIONS
from bnas_deploy.converters.graph.nodes import Array, Graph, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms

__all__ = ["evaluate", "evaluate_node", "trace"]


def evaluate(graph: Graph, images: Array) -> Array:
    """Return the logits, (N, classes), of images (N, C, H, W)."""
    output = trace(graph, images)[graph.output]
    return output.reshape(len(output), -1)


def trace(graph: Graph, images: Array) -> dict[str, Array]:
    """Return every value of the graph by name."""
    values = {graph.input: images}
    for node in graph.nodes:
        inputs = [values[name] for name in node.inputs]
        if not inputs:  # `zero` and `constant`, which cannot know N and the dtype
            inputs = [images]
        values.update(zip(node.outputs, evaluate_node(node, inputs), strict=True))
    return values


def evaluate_node(node: Node, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """Compute the outputs of one node."""
    result = _FUNCTIONS[node.op](node, *inputs)
    return result if isinstance(result, tuple) else (result,)


def _channel(array: Array) -> Array:
    return array[None, :, None, None]


def _zero(node: Node, x: Array) -> Array:
    return np.zeros((len(x), *node.attributes["shape"]), x.dtype)


def _constant(node: Node, x: Array) -> Array:
    value = node.constants["value"].astype(x.dtype)
    return np.broadcast_to(value, (len(x), *value.shape))


def _activation(node: Node, x: Array) -> Array:
    activation = ACTIVATIONS[node.op]
    own = {name: _channel(node.constants[name]) for name in activation.constants}
    shared = {name: node.constants[name] for name in activation.shared}
    result: Array = activation.function(x, **own, **shared)
    return result


def _binary_max_pool(node: Node, x: Array) -> Array:
    least = node.constants.get("minimum", np.zeros(x.shape[1], bool))
    turn = _channel(np.where(least, -1, 1)).astype(x.dtype)
    greatest: Array = _max_pool(node, x * turn) * turn
    return greatest


def _activate(node: Node, x: Array) -> Array:
    return _relu(x) if node.attributes["activation"] == "relu" else x


def _relu(x: Array) -> Array:
    result: Array = ACTIVATIONS["relu"].function(x)
    return result


def _padded(node: Node, x: Array, value: float) -> Array:
    top, left, bottom, right = node.attributes["padding"]
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=value)


def _taps(node: Node, x: Array, kernel: Sequence[int]) -> Iterator[tuple[int, int, Array]]:
    """Yield (ky, kx, the pixels under that tap) of a padded x, in order."""
    stride, dilation = node.attributes["stride"], node.attributes.get("dilation", (1, 1))
    sizes = [
        (extent - d * (k - 1) - 1) // s + 1
        for extent, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)
    ]
    for ky, kx in np.ndindex(*kernel):
        rows = slice(ky * dilation[0], ky * dilation[0] + (sizes[0] - 1) * stride[0] + 1, stride[0])
        cols = slice(kx * dilation[1], kx * dilation[1] + (sizes[1] - 1) * stride[1] + 1, stride[1])
        yield ky, kx, x[:, :, rows, cols]


def _convolve(node: Node, x: Array) -> Array:
    weight = node.constants["weight"].astype(np.float64)
    padded = _padded(node, x, 0.0)
    groups = x.shape[1] // weight.shape[1]
    parts = zip(np.split(padded, groups, axis=1), np.split(weight, groups), strict=True)
    return np.concatenate([_convolve_group(node, part, w) for part, w in parts], axis=1)


def _convolve_group(node: Node, padded: Array, weight: Array) -> Array:
    return _total(
        np.einsum("oc,nchw->nohw", weight[:, :, ky, kx], taken.astype(np.float64))
        for ky, kx, taken in _taps(node, padded, weight.shape[2:])
    )


def _total(arrays: Iterable[Array]) -> Array:
    return functools.reduce(np.add, arrays)


def _conv(node: Node, x: Array) -> Array:
    total = _convolve(node, x)
    if "bias" in node.constants:
        total = total + _channel(node.constants["bias"])
    return _activate(node, total.astype(x.dtype))


def _dot(node: Node, x: Array) -> Array:
    total = _convolve(node, x)
    if "fold" in node.constants:
        fold = node.constants["fold"]
        inside = _padded(node, np.ones((1, 1, *x.shape[2:])), 0.0)
        for ky, kx, taken in _taps(node, inside, fold.shape[1:]):
            total = total + _channel(fold[:, ky, kx]) * taken
    return total


def _binary_conv(node: Node, x: Array) -> Array:
    return _activate(node, _dot(node, x).astype(x.dtype) * _channel(node.constants["scale"]))


def _depthwise_dot(node: Node, x: Array) -> Array:
    weight = node.constants["weight"].astype(np.float64)
    return _total(
        _channel(weight[:, 0, ky, kx]) * taken
        for ky, kx, taken in _taps(node, _padded(node, x, 0.0), weight.shape[2:])
    )


def _binary_depthwise(node: Node, x: Array) -> Array:
    dot = _depthwise_dot(node, x).astype(x.dtype)
    return _activate(node, dot * _channel(node.constants["scale"]))


def _mean_magnitude(node: Node, x: Array) -> Array:
    scale, shift = _channel(node.constants["scale"]), _channel(node.constants["shift"])
    magnitudes = np.abs(x.astype(np.float64) * scale + shift).sum(axis=1, keepdims=True)
    factor, rest = node.constants["terms"]
    mean: Array = (magnitudes * factor + rest).astype(x.dtype)
    return mean


def _packed_conv(node: Node, *inputs: Array) -> tuple[Array, ...]:
    return _finished(node, _dot(node, inputs[0]), inputs)


def _packed_depthwise(node: Node, *inputs: Array) -> tuple[Array, ...]:
    return _finished(node, _depthwise_dot(node, inputs[0]), inputs)


def _finished(node: Node, dot: Array, inputs: Sequence[Array]) -> tuple[Array, ...]:
    outputs = []
    for name, stage in zip(node.outputs, node.attributes["stages"], strict=True):
        if stage.kind == "threshold":
            beyond = dot >= _channel(node.constants[f"{name}.threshold"])
            outputs.append(_signs(beyond != _channel(node.constants[f"{name}.flip"]), inputs[0]))
            continue
        v = dot.astype(inputs[0].dtype) * _channel(node.constants[f"{name}.scale"])
        if stage.kind == "affine":
            v = v + _channel(node.constants[f"{name}.shift"])
        v = _relu(v) if stage.activation == "relu" else v
        outputs.append(v if stage.addend is None else _added(inputs[stage.addend], v, stage.at))
    return tuple(outputs)


def _added(base: Array, addend: Array, at: int) -> Array:
    result = base.copy()
    result[:, at : at + addend.shape[1]] += addend
    return result


def _signs(positive: Array, like: Array) -> Array:
    return np.where(positive, 1, -1).astype(like.dtype)


def _sign(node: Node, x: Array) -> Array:
    return np.where(x == 0, x.dtype.type(node.attributes["zero_sign"]), _signs(x >= 0, x))


def _binarize(node: Node, x: Array) -> Array:
    beyond = x >= _channel(node.constants["threshold"])
    return _signs(beyond != _channel(node.constants["flip"]), x)


def _batch_norm(node: Node, x: Array) -> Array:
    alpha, beta = batch_norm_terms(**node.constants, eps=node.attributes["eps"])
    # As PyTorch: one rounding (see `numerics`).
    return (x.astype(np.float64) * _channel(alpha) + _channel(beta)).astype(x.dtype)


def _affine(node: Node, x: Array) -> Array:
    return x * _channel(node.constants["scale"]) + _channel(node.constants["shift"])


def _select(node: Node, x: Array) -> Array:
    index = node.constants["index"]
    return np.where(_channel(index < 0), x.dtype.type(0), x[:, index])


def _max_pool(node: Node, x: Array) -> Array:
    taps = _taps(node, _padded(node, x, -np.inf), node.attributes["kernel"])
    return functools.reduce(np.maximum, (taken for _, _, taken in taps))


def _avg_pool(node: Node, x: Array) -> Array:
    kernel = node.attributes["kernel"]
    inside = _padded(node, np.ones((1, 1, *x.shape[2:]), x.dtype), 0.0)
    total = _total(taken for _, _, taken in _taps(node, _padded(node, x, 0.0), kernel))
    return total / _total(taken for _, _, taken in _taps(node, inside, kernel))


def _global_avg_pool(node: Node, x: Array) -> Array:
    mean: Array = x.mean(axis=(2, 3), keepdims=True, dtype=np.float64)
    return mean.astype(x.dtype)


def _linear(node: Node, x: Array) -> Array:
    total: Array = x.reshape(len(x), -1).astype(np.float64) @ node.constants["weight"].T
    if "bias" in node.constants:
        total = total + node.constants["bias"]
    return total.astype(x.dtype)[:, :, None, None]


_FUNCTIONS: dict[str, Callable[..., Array | tuple[Array, ...]]] = {
    "zero": _zero,
    "constant": _constant,
    "conv": _conv,
    "binary_conv": _binary_conv,
    "binary_depthwise": _binary_depthwise,
    "batch_norm": _batch_norm,
    "sign": _sign,
    "bits_to_float": lambda node, x: x,
    **dict.fromkeys(ACTIVATIONS, _activation),
    "binary_max_pool": _binary_max_pool,
    "add": lambda node, a, b: a + b,
    "concat": lambda node, *xs: np.concatenate(xs, axis=1),
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "global_avg_pool": _global_avg_pool,
    "linear": _linear,
    "affine": _affine,
    "binarize": _binarize,
    "packed_conv": _packed_conv,
    "packed_depthwise": _packed_depthwise,
    "mean_magnitude": _mean_magnitude,
    "multiply": lambda node, x, factor: x * factor,
    "add_slice": lambda node, x, y: _added(x, y, node.attributes["at"]),
    "select_channels": _select,
}
