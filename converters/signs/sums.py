"""Values as sums of others, so that terms that cancel are seen in any spelling.

A `Sum` is a constant, multiples of floats, and functions of the signs of floats, each with numbers
of its own for every channel. It holds for real numbers. What floats make of the same sum differs
by their rounding, and that is what is left out where terms cancel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bnas_deploy.converters.graph.nodes import Array
from bnas_deploy.converters.signs.flow import Levels

__all__ = ["Sum"]

TERM_LIMIT = 16
"""Terms of a sum, so that a chain of residuals costs no more than its length."""

ROUNDING = 2.0**-20
"""Of what was added up, what may be left where it cancels: eight roundings of float32 constants."""


@dataclass(frozen=True, eq=False)
class Sum:
    """constant + sum of coefficient * float + sum of levels(sign of a float); all (C,) float64.

    Attributes:
        floats: The coefficient of each graph value, and the magnitudes that it was added up from.
        signs: The levels of the sign of each graph value, and the same sum.
        constant: The rest.
        cancelled: Whether terms have gone.
        rounded: Whether floats are among them, so that a rounding has gone, too.
    """

    floats: Mapping[str, tuple[Array, Array]]
    signs: Mapping[str, tuple[Levels, Array]]
    constant: Array
    cancelled: bool = False
    rounded: bool = False

    @classmethod
    def of_float(cls, value: str, channels: int) -> Sum:
        """One value."""
        ones = np.ones(channels)
        return cls({value: (ones, ones)}, {}, np.zeros(channels))

    @classmethod
    def of_sign(cls, value: str, levels: Levels) -> Sum:
        """Levels of one value's sign."""
        size = np.maximum(np.maximum(abs(levels.low), abs(levels.mid)), abs(levels.high))
        return cls({}, {value: (levels, size)}, np.zeros_like(levels.low))

    @property
    def small(self) -> bool:
        """Whether it has few enough terms to be kept."""
        return len(self.floats) + len(self.signs) <= TERM_LIMIT

    @property
    def sign(self) -> tuple[str, Levels] | None:
        """The value and levels, if it is nothing but levels of one sign."""
        if self.floats or len(self.signs) != 1:
            return None
        ((value, (levels, _)),) = self.signs.items()
        return value, levels.mapped(lambda x: x + self.constant)

    def scaled(self, alpha: Array, beta: Array) -> Sum:
        """The sum times alpha plus beta, (C,) each."""
        if not alpha.any():
            return Sum({}, {}, beta)
        floats = {n: (c * alpha, s * abs(alpha)) for n, (c, s) in self.floats.items()}
        signs = {
            n: (x.mapped(lambda y: y * alpha), s * abs(alpha)) for n, (x, s) in self.signs.items()
        }
        return Sum(floats, signs, self.constant * alpha + beta)

    def plus(self, other: Sum) -> Sum:
        """The sum of both, without the terms that cancel."""
        constant = self.constant + other.constant
        floats, signs = {**other.floats, **self.floats}, {**other.signs, **self.signs}
        before = len(floats), len(signs)
        for name in self.floats.keys() & other.floats.keys():
            (a, p), (b, q) = self.floats[name], other.floats[name]
            floats[name] = (a + b, p + q)
            if _gone(a + b, p + q):
                del floats[name]
        for name in self.signs.keys() & other.signs.keys():
            (x, p), (y, q) = self.signs[name], other.signs[name]
            total = Levels(x.low + y.low, x.mid + y.mid, x.high + y.high)
            signs[name] = (total, p + q)
            if _gone(total.high - total.low, p + q) and _gone(total.high - total.mid, p + q):
                constant = constant + total.high
                del signs[name]
        rounded = len(floats) < before[0]
        return Sum(floats, signs, constant, rounded or len(signs) < before[1], rounded)


def _gone(rest: Array, size: Array) -> bool:
    return bool((np.abs(rest) <= ROUNDING * size).all())
