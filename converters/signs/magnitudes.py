"""Weights of two levels a channel, as signs, a scale and an offset, and how far they are off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnas_deploy.converters.graph.nodes import Array

__all__ = ["BinaryWeights", "binary_weights"]

ULPS = 4
"""How far weights of one magnitude may lie apart, in units in the last place of 1.

Straight-through estimators of weights leave (s * sign(w) - f) + f in the model, often as one
constant. Each of the two sums rounds by half a unit in the last place of its result. With terms up
to 16 that is at most 4 units of 1 together, and the second one is less than one.
"""

NEAR = 2.0**-8
"""And never more than this part of the magnitude, so that tiny weights are not all one."""


@dataclass(frozen=True, eq=False)
class BinaryWeights:
    """Weights, each within `deviation` of offset + scale * sign.

    Attributes:
        signs: int8 of -1, 0 and +1 (0 only where the offset is 0), in the weights' shape.
        scale: (O,) float64.
        offset: (O,) float64.
        deviation: Of the weight that lies farthest off.
    """

    signs: Array
    scale: Array
    offset: Array
    deviation: float


def binary_weights(weight: Array) -> BinaryWeights | float:
    """Return weights (O, ...) as signs; or by how much they are not of one magnitude.

    Channels may differ: in one there are -s, 0 and +s, in another two other levels.
    """
    exact = _of_one_magnitude(weight)
    if exact is not None:
        return exact
    flat = weight.reshape(len(weight), -1).astype(np.float64)
    size = np.abs(flat)
    used = size > 0
    scale = _middle(size, used)
    away = np.where(used, np.abs(size - scale[:, None]), 0).max(axis=1)
    fits = away <= _bound(weight, size.max(axis=1), scale)
    signs, offset = np.sign(flat), np.zeros(len(flat))
    signs[scale == 0] = 1
    if not fits.all():
        levels = _two_levels(weight, flat)
        if not (fits | levels[3]).all() or flat.shape[1] < 3:
            return float(away.max())
        own = ~fits
        signs[own], scale[own], offset[own] = levels[0][own], levels[1][own], levels[2][own]
        away = np.where(own, levels[4], away)
    shaped = signs.reshape(weight.shape).astype(np.int8)
    return BinaryWeights(shaped, scale, offset, float(away.max(initial=0)))


def _of_one_magnitude(weight: Array) -> BinaryWeights | None:
    """The signs of weights that are exactly -s and +s, told without large copies."""
    size = np.abs(weight.reshape(len(weight), -1))
    if weight.dtype.kind != "f" or not (size == size[:, :1]).all():
        return None
    scale = size[:, 0].astype(np.float64)
    signs = np.where(weight < 0, np.int8(-1), np.int8(1))
    return BinaryWeights(signs, scale, np.zeros_like(scale), 0.0)


def _middle(numbers: Array, used: Array) -> Array:
    """(O,) the one number, or the middle of those that differ."""
    most = np.where(used, numbers, -np.inf).max(axis=1)
    least = np.where(used, numbers, np.inf).min(axis=1)
    count = np.maximum(used.sum(axis=1), 1)
    mean = np.where(used, numbers, 0).sum(axis=1) / count
    none = ~used.any(axis=1)
    return np.where(none, 0.0, np.where(most == least, most, mean))


def _two_levels(weight: Array, flat: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Signs, scale, offset, which channels fit, and how far each is away."""
    upper = flat > (flat.max(axis=1) + flat.min(axis=1))[:, None] / 2
    high, low = _middle(flat, upper), _middle(flat, ~upper)
    nearest = np.where(upper, high[:, None], low[:, None])
    away = np.abs(flat - nearest).max(axis=1)
    scale, offset = (high - low) / 2, (high + low) / 2
    fits = away <= _bound(weight, np.abs(flat).max(axis=1), scale)
    return np.where(upper, 1, -1), scale, offset, fits, away


def _bound(weight: Array, largest: Array, scale: Array) -> Array:
    half = weight.dtype == np.float16
    unit = float(np.finfo(np.float16 if half else np.float32).eps)
    return np.minimum(ULPS * unit * np.maximum(1, largest), scale * NEAR)
