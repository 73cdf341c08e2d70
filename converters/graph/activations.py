"""The activations of a graph: functions of one element, each described in this one place.

From here the operations know their constants, evaluation its function, `remove_zero` what becomes
of known channels, and the search for exact zeros where half of all numbers end up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ACTIVATIONS", "Activation"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Activation:
    """A function of one element, the same for every pixel.

    Attributes:
        function: From the elements and the constants, by name, in shapes that broadcast.
        constants: Names of the constants that have a number for each channel.
        shared: Constants that all channels share, and how many numbers these have.
        flats: From the constants to the numbers that whole intervals become; None where results
            are known to within rounding only.
        rises: From the constants to whether it never falls when its input rises.
    """

    function: Callable[..., Array]
    constants: tuple[str, ...] = ()
    shared: Mapping[str, int] = field(default_factory=dict)
    flats: Callable[..., list[Array]] | None = None
    rises: Callable[..., bool] = lambda **_: False

    @property
    def names(self) -> tuple[str, ...]:
        """Of all constants."""
        return (*self.constants, *self.shared)


def _relu(x: Array) -> Array:
    return np.where(x > 0, x, x.dtype.type(0))


def _prelu(x: Array, slope: Array) -> Array:
    return np.where(x > 0, x, x * slope)


def _clip(x: Array, low: Array, high: Array) -> Array:
    return np.minimum(np.maximum(x, low), high)


def _sigmoid(x: Array) -> Array:
    positive = 1 / (1 + np.exp(-np.abs(x.astype(np.float64))))
    return np.where(x >= 0, positive, 1 - positive).astype(x.dtype)


def _hard_sigmoid(x: Array, terms: Array) -> Array:
    slope, middle = terms.astype(np.float64)
    y: Array = np.clip(x.astype(np.float64) * slope + middle, 0, 1).astype(x.dtype)
    return y


def _end(terms: Array) -> Array:
    """What all become where the slope is 0."""
    return np.clip(terms[1:], 0, 1) if terms[0] == 0 else np.full(1, np.nan)


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        _relu,
        flats=lambda: [np.zeros(1)],
        rises=lambda: True,
    ),
    # x where x > 0, else slope * x.
    "prelu": Activation(
        _prelu,
        ("slope",),
        flats=lambda slope: [np.where(slope == 0, 0.0, np.nan)],
        rises=lambda slope: bool((slope >= 0).all()),
    ),
    # min(max(x, low), high); bounds may be infinite.
    "clip": Activation(
        _clip,
        ("low", "high"),
        flats=lambda **bounds: [np.where(np.isfinite(b), b, np.nan) for b in bounds.values()],
        rises=lambda **_: True,
    ),
    "sigmoid": Activation(_sigmoid),
    # min(max(x * terms[0] + terms[1], 0), 1).
    "hard_sigmoid": Activation(
        _hard_sigmoid,
        shared={"terms": 2},
        flats=lambda terms: [np.zeros(1), np.ones(1), _end(terms)],
        rises=lambda terms: bool(terms[0] >= 0),
    ),
}
