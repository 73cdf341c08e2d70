"""What tells one convolution from another for the libraries that compute it: `Geometry`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Geometry", "layout_of"]


@dataclass(frozen=True)
class Geometry:
    """A convolution without its numbers.

    Attributes:
        images: Shape of the input, (N, I, H, W).
        weight: Shape of the weight, (O, I / groups, kh, kw).
        stride: Down and to the right.
        padding: Likewise.
        dilation: Likewise.
        groups: Of channels.
        dtype: That it computes in.
        layout: Of the input in memory; see `layout_of`.
    """

    images: tuple[int, ...]
    weight: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    dtype: torch.dtype
    layout: str

    @classmethod
    def of(
        cls,
        x: Tensor,
        weight: Tensor,
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int],
        groups: int,
        *,
        dtype: torch.dtype | None = None,
    ) -> Geometry:
        """Describe the convolution of x with a weight.

        Args:
            x: (N, I, H, W).
            weight: (O, I / groups, kh, kw).
            stride: One number, or two.
            padding: Likewise.
            dilation: Likewise.
            groups: Of channels.
            dtype: That it computes in; None: that of x.
        """
        return cls(
            images=tuple(x.shape),
            weight=tuple(weight.shape),
            stride=_pair(stride),
            padding=_pair(padding),
            dilation=_pair(dilation),
            groups=groups,
            dtype=dtype or x.dtype,
            layout=layout_of(x),
        )

    def __str__(self) -> str:
        """Say what it is, as `3x3 dilation 2 at 32x32`."""
        words = ["x".join(map(str, self.weight[2:]))]
        for name, value in (("stride", self.stride), ("dilation", self.dilation)):
            if value != (1, 1):
                words.append(f"{name} {'x'.join(map(str, dict.fromkeys(value)))}")
        if self.groups > 1:
            words.append(f"of {self.groups} groups")
        return " ".join([*words, "at", "x".join(map(str, self.images[2:]))])


def layout_of(x: Tensor) -> str:
    """Return how (N, C, H, W) lies in memory: `channels-last`, `contiguous` or `strided`."""
    if x.is_contiguous(memory_format=torch.channels_last):
        return "channels-last"
    return "contiguous" if x.is_contiguous() else "strided"


def _pair(value: Sequence[int] | int) -> tuple[int, ...]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * 2 if len(values) == 1 else values
