"""The parts of a convolution (its output and two gradients), and the ways of computing one.

Shapes: x (N, I, H, W), weight (O, I / groups, kh, kw), bias (O,), grad and output (N, O, H', W').
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bnas_deploy.training.arithmetic.geometry import Geometry

__all__ = ["AS_IT_IS", "PARTS", "REMEDIES", "Call", "Way", "compute"]

PARTS = ("outputs", "input gradients", "weight gradients")


@dataclass(frozen=True)
class Way:
    """How a part is computed.

    Attributes:
        contiguous: Whether everything is laid out contiguously first, whatever the network's
            layout.
        float32: Whether everything is turned into float32 first, and the result back.
    """

    contiguous: bool = False
    float32: bool = False

    def __str__(self) -> str:
        """Say how, as `contiguous layout`."""
        words = ["contiguous layout"] if self.contiguous else []
        return " and ".join([*words, *(["float32"] if self.float32 else [])])


AS_IT_IS = Way()
REMEDIES = (Way(contiguous=True), Way(float32=True), Way(contiguous=True, float32=True))
"""The fastest first, as measured; a fixed order, so that equal runs compute alike."""


@dataclass(frozen=True)
class Call:
    """A convolution with its numbers.

    Attributes:
        geometry: What kind it is.
        x: Input.
        weight: Likewise.
        bias: None if there is none.
        grad: Gradient of the output; None where only the output is wanted.
    """

    geometry: Geometry
    x: Tensor
    weight: Tensor
    bias: Tensor | None = None
    grad: Tensor | None = None


def compute(part: str, call: Call, way: Way) -> Tensor:
    """Compute a part of a convolution, in the type and (save the weight) the layout of its input.

    Args:
        part: One of `PARTS`.
        call: The convolution.
        way: How.
    """
    x, weight, bias, grad = (_prepared(t, way) for t in (call.x, call.weight, call.bias, call.grad))
    result = _compute(part, x, weight, bias, grad, call.geometry).to(call.x.dtype)
    if part == "weight gradients" or call.geometry.layout != "channels-last":
        return result
    return result.contiguous(memory_format=torch.channels_last)


def _prepared(tensor: Tensor | None, way: Way) -> Tensor | None:
    if tensor is None:
        return None
    tensor = tensor.float() if way.float32 else tensor
    return tensor.contiguous() if way.contiguous else tensor


def _compute(
    part: str,
    x: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    grad: Tensor | None,
    geometry: Geometry,
) -> Tensor:
    g, ops = geometry, torch.ops.aten
    how = [list(g.stride), list(g.padding), list(g.dilation), False, [0, 0], g.groups]
    if part == "outputs":
        output: Tensor = ops.convolution(x, weight, bias, *how)
        return output
    mask = [part == name for name in PARTS[1:]]
    gradients = ops.convolution_backward(grad, x, weight, None, *how, [*mask, False])
    gradient: Tensor = gradients[mask.index(True)]
    return gradient
