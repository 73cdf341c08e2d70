"""What the meanings of the steps share: what a step can see, their registry, windows.

Shapes: N batch, C channels, H W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.engine.implementations import Implementations
from bnas_deploy.engine.reference.arithmetic import relu
from bnas_deploy.engine.runner import Floats
from bnas_deploy.format import steps as op
from bnas_deploy.format.steps import Window

__all__ = [
    "MEANING",
    "Array",
    "Assigned",
    "State",
    "activate",
    "per_channel",
    "positions",
    "taps",
    "taps_of",
]

Array = npt.NDArray[Any]
Assigned = dict[str, Array]


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


MEANING: Implementations[Callable[[Any, State], Assigned]] = Implementations("reference")
"""From a step and what it can see to the values that it assigns, by name."""


def per_channel(v: Array) -> Array:
    """(C,) to (C, 1, 1), to broadcast over pixels."""
    return v[:, None, None]


def activate(x: Floats, activation: str) -> Floats:
    """Apply an activation by its name."""
    return relu(x) if activation == "relu" else x


def positions(k: int, *, size: int, out: int, stride: int, before: int, dilation: int) -> Array:
    """Output positions along one axis for which tap `k` lies inside the image of `size` pixels."""
    source = np.arange(out) * stride + k * dilation - before
    return np.flatnonzero((source >= 0) & (source < size))


def taps(
    size: tuple[int, int],
    out: tuple[int, int],
    s: op.BinaryConvolution | op.MaxPool2d | op.AvgPool2d | op.BinaryMaxPool2d,
) -> Iterator[tuple[tuple[int, int], Any, Any]]:
    """`taps_of` a step that states its kernel."""
    return taps_of(size, out, s, s.kernel)


def taps_of(
    size: tuple[int, int],
    out: tuple[int, int],
    s: Window,
    kernel: tuple[int, int],
) -> Iterator[tuple[tuple[int, int], Any, Any]]:
    """Taps in order, with the output pixels that see them inside the image, and the input pixels.

    Yields:
        (ky, kx), an index of the last two axes of the output, and one of the input.
    """
    for ky in range(kernel[0]):
        for kx in range(kernel[1]):
            to, source = [], []
            for axis, k in enumerate((ky, kx)):
                stride, before, d = s.stride[axis], s.padding[axis], s.dilation[axis]
                inside = positions(
                    k, size=size[axis], out=out[axis], stride=stride, before=before, dilation=d
                )
                to.append(inside)
                source.append(inside * stride + k * d - before)
            yield (ky, kx), (..., *np.ix_(*to)), (..., *np.ix_(*source))
