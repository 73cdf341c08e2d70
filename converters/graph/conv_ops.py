"""The shapes of convolutions: what they need and what they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bnas_deploy.converters.graph.values import BITS, F32, Shape, Stage, Value, added, require

if TYPE_CHECKING:
    from bnas_deploy.converters.graph.nodes import Node

__all__ = ["conv", "depthwise", "groups_of", "packed_conv", "packed_depthwise", "windows"]


def windows(node: Node, shape: Shape, kernel: Sequence[int]) -> tuple[int, int]:
    """Return the height and width of what windows over an image make."""
    top, left, bottom, right = node.attributes["padding"]
    dilation = node.attributes.get("dilation", (1, 1))
    size = []
    for extent, pad, k, s, d in zip(
        shape[1:],
        (top + bottom, left + right),
        kernel,
        node.attributes["stride"],
        dilation,
        strict=True,
    ):
        size.append((extent + pad - d * (k - 1) - 1) // s + 1)
    return size[0], size[1]


def groups_of(node: Node, channels: int) -> int:
    """Groups of a convolution of so many channels: its weights are (O, channels / groups, ...)."""
    return channels // int(node.constants["weight"].shape[1])


def conv(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    """Return what a convolution makes, dense or in groups."""
    weight, shape = node.constants["weight"], inputs[0].shape
    divides = weight.ndim == 4 and weight.shape[1] > 0 and shape[0] % weight.shape[1] == 0
    fits = divides and weight.shape[0] % (shape[0] // weight.shape[1]) == 0
    require(node, fits, f"weight of {shape[0]} inputs, or of a group of them")
    outputs, kernel = weight.shape[0], weight.shape[2:]
    for name in ("bias", "scale"):
        if name in node.constants:
            require(node, node.constants[name].shape == (outputs,), f"{name} of shape ({outputs},)")
    if "fold" in node.constants:
        require(node, node.constants["fold"].shape == (outputs, *kernel), "fold as weight's taps")
    return (Value(F32, (outputs, *windows(node, shape, kernel))),)


def packed_conv(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    """Return what the stages of a packed convolution make."""
    (dot,) = conv(node, inputs)
    return _stage_values(node, inputs, dot)


def depthwise(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    """Return what a convolution of each channel alone makes."""
    (channels, _, _), weight = inputs[0].shape, node.constants["weight"]
    fits = weight.ndim == 4 and weight.shape[:2] == (channels, 1)
    require(node, fits, f"weight of shape ({channels}, 1, kh, kw)")
    if "scale" in node.constants:
        scale = node.constants["scale"]
        require(node, scale.shape == (channels,), f"scale of shape ({channels},)")
    return (Value(F32, (channels, *windows(node, inputs[0].shape, weight.shape[2:]))),)


def packed_depthwise(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    """Return what the stages of a packed depthwise convolution make."""
    (dot,) = depthwise(node, inputs)
    return _stage_values(node, inputs, dot)


def _stage_values(node: Node, inputs: Sequence[Value], dot: Value) -> tuple[Value, ...]:
    values = []
    for name, stage in zip(node.outputs, node.attributes["stages"], strict=True):
        value = _stage_value(node, name, stage, dot)
        if stage.addend is not None:
            value = added(node, inputs[stage.addend], dot, stage.at)
        values.append(value)
    return tuple(values)


def _stage_value(node: Node, name: str, stage: Stage, dot: Value) -> Value:
    for key in _STAGE_CONSTANTS[stage.kind]:
        array = node.constants.get(f"{name}.{key}")
        require(node, array is not None and array.shape == dot.shape[:1], f"{name}.{key}")
    return Value(BITS, dot.shape) if stage.kind == "threshold" else dot


_STAGE_CONSTANTS = {
    "threshold": ("threshold", "flip"),
    "scale": ("scale",),
    "affine": ("scale", "shift"),
}
