"""What an ONNX value is while a model is imported: a value of the graph, seen in some way.

A `Flow` is one value of the `GraphBuilder`, its extents in ONNX, what a Pad put around it, and, if
it has just two (or, with zero, three) levels, how they follow from the value's sign. Elementwise
operators of such a value only change its levels: so every spelling of sign is one and the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert
from bnas_deploy.converters.signs.order import Digit, Order, digits, elements, split

__all__ = ["Flow", "Levels", "Pads"]

Pads = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Levels:
    """What a value is where the graph's is negative, zero, and positive; (C,) float64 each."""

    low: Array
    mid: Array
    high: Array

    @property
    def all(self) -> tuple[Array, Array, Array]:
        """The three, in order."""
        return self.low, self.mid, self.high

    def mapped(self, function: Callable[[Array], Array]) -> Levels:
        """Return the levels behind an elementwise function of channels, (C,) to (C,)."""
        return Levels(*(function(x).astype(np.float64) for x in self.all))

    def taken(self, index: Array) -> Levels:
        """Return the levels of some channels; 0 for an index of -1."""
        return self.mapped(lambda x: np.where(index < 0, 0, x[index]))


@dataclass(frozen=True, eq=False)
class Flow:
    """One value that depends on the image.

    Attributes:
        name: A float value of the graph, (C, H, W).
        shape: That (C, H, W).
        dims: The ONNX extents behind the batch, of the same elements.
        levels: Where the value is a function of the sign of `name`, else None.
        pads: Pixels around it (top, left, bottom, right) that are not in `name`.
        fill: (C,) what they hold, behind the levels.
        order: How they lie in the graph's value with its pads; empty: in the same order.
    """

    name: str
    shape: tuple[int, int, int]
    dims: tuple[int, ...]
    levels: Levels | None = None
    pads: Pads = (0, 0, 0, 0)
    fill: Array | None = None
    order: Order = ()

    @property
    def channels(self) -> int:
        """C."""
        return self.shape[0]

    @property
    def image(self) -> bool:
        """Whether ONNX sees it as (N, C, H, W)."""
        return self.dims == self.padded_shape and not self.order

    @property
    def padded_shape(self) -> tuple[int, int, int]:
        """(C, H, W) with the pads."""
        top, left, bottom, right = self.pads
        c, h, w = self.shape
        return c, h + top + bottom, w + left + right

    def axes(self) -> list[list[Digit]] | None:
        """What each ONNX axis behind the batch counts of C, H and W; None where that is uneven."""
        whole = self.order or ((1, math.prod(self.dims)),)
        parts = split(whole, self.dims)
        found = [digits(part, self.padded_shape) for part in parts or ()]
        known = [own for own in found if own is not None]
        return known if parts is not None and len(known) == len(found) else None

    def of(self, name: str) -> Flow:
        """Return the same view of another value of the same shape, without levels."""
        return replace(self, name=name, levels=None)

    def filled(self, function: Callable[[Array], Array]) -> Array | None:
        """The fill behind an elementwise function of channels."""
        return None if self.fill is None else function(self.fill).astype(np.float64)

    def with_levels(self, function: Callable[[Array], Array], levels: Levels) -> Flow:
        """Return the flow behind a function, whose levels are given, applied to the fill."""
        return replace(self, levels=levels, fill=self.filled(function))

    def need_image(self) -> None:
        """Check that ONNX sees (N, C, H, W).

        Raises:
            CannotConvert: It sees something else.
        """
        if not self.image:
            msg = f"works on a value of shape (N, {', '.join(map(str, self.dims))})"
            raise CannotConvert(
                msg,
                "only (N, C, H, W) is understood here",
            )

    def need_bare(self) -> None:
        """Check that nothing was padded.

        Raises:
            CannotConvert: Something was.
        """
        if any(self.pads):
            msg = "reads a padded value"
            raise CannotConvert(msg, "pad directly before a convolution or pool, or inside it")

    def spread(self, array: Array) -> Array | None:
        """Return a constant that is broadcast against this value, (C, H, W); None if none fits."""
        shape = (1, *self.dims)
        extents = (1,) * (len(shape) - array.ndim) + array.shape
        fits = len(extents) == len(shape) and all(
            n in (1, m) for n, m in zip(extents, shape, strict=True)
        )
        if not fits or array.dtype.kind not in "fiub":
            return None
        c, h, w = self.padded_shape
        if c * h * w > ARRAY_LIMIT:
            msg = f"works on a value of {c * h * w:,} elements"
            raise CannotConvert(msg, "use smaller images")
        whole = np.broadcast_to(array.reshape(extents), shape)
        return elements(whole.reshape(-1), self.order, (c, h, w))

    def per_pixel(self, array: Array) -> Array | None:
        """Return a constant that differs from pixel to pixel, (C, H, W) float64; None if none does.

        Neither where it does not fit, nor where something was padded: `per_channel` says why not.
        """
        whole = None if any(self.pads) or array.size == 1 else self.spread(array)
        if whole is None or (whole == whole[:, :1, :1]).all():
            return None
        return whole.astype(np.float64)

    def per_channel(self, array: Array) -> Array:
        """Return a constant that is broadcast against this value as one number a channel, float64.

        Raises:
            CannotConvert: It varies over the pixels, or does not fit.
        """
        if array.size == 1 and array.ndim <= len(self.dims) + 1 and array.dtype.kind in "fiub":
            return np.full(self.channels, array.reshape(()), np.float64)
        whole = self.spread(array)
        if whole is None:
            msg = f"a constant of shape {list(array.shape)} meets a value of (N, {list(self.dims)})"
            raise CannotConvert(
                msg,
                "only one number, or one a channel, is understood",
            )
        if not (whole == whole[:, :1, :1]).all():
            msg = "a constant that differs from pixel to pixel"
            raise CannotConvert(
                msg,
                "only one number, or one a channel, is understood",
            )
        return whole[:, 0, 0].astype(np.float64)
