"""Numbers that a value takes often, as arithmetic progressions of each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bnas_deploy.converters.graph.nodes import Array

__all__ = ["Atoms", "common", "joined"]

COLUMNS = 8
"""Progressions of a channel; of more only zero is remembered."""

ROUNDING = 2.0**-24
"""Half a unit in the last place of float32: how close to zero counts as zero."""

FAR = 2**13
"""So many steps from its start a progression may hold zero: sums of pixels are not larger."""

STEPS = 2**16
"""A step is a multiple of another one up to here, beyond it by chance."""


@dataclass(frozen=True, eq=False)
class Atoms:
    """start + step * k for whole k, as far as it lies from low to high; (C, L) float64 each.

    A step of 0 is a single number, and a start that is NaN is nothing.
    """

    start: Array
    step: Array
    low: Array
    high: Array

    @classmethod
    def none(cls, channels: int) -> Atoms:
        """No number is taken often."""
        return cls.points(np.full((channels, 0), np.nan))

    @classmethod
    def points(cls, numbers: Array) -> Atoms:
        """Single numbers (C, L), NaN for none."""
        numbers = numbers.astype(np.float64)
        return cls(numbers, np.zeros_like(numbers), numbers, numbers)

    @classmethod
    def lattice(cls, start: Array, step: Array, low: Array, high: Array) -> Atoms:
        """One progression a channel, (C,) each."""
        return cls(*(x[:, None].astype(np.float64) for x in (start, step, low, high)))

    @property
    def channels(self) -> int:
        """C."""
        return len(self.start)

    @property
    def zeros(self) -> Array:
        """Which progressions hold zero, (C, L)."""
        with np.errstate(all="ignore"):
            times = np.where(self.step == 0, 0, np.rint(-self.start / self.step))
            near = np.abs(self.start + times * self.step) <= ROUNDING * np.abs(self.start)
            near &= np.abs(times) <= FAR
            return np.asarray(near & (self.low <= 0) & (self.high >= 0))

    @property
    def vanish(self) -> Array:
        """Which channels are often zero, (C,)."""
        return np.asarray(self.zeros.any(axis=1))

    def affine(self, alpha: Array, beta: Array) -> Atoms:
        """Return the atoms times alpha plus beta, (C,) each."""
        a, b = alpha[:, None].astype(np.float64), beta[:, None].astype(np.float64)
        with np.errstate(invalid="ignore"):  # 0 times infinity
            ends = self.low * a + b, self.high * a + b
        still = Atoms.points(np.where(a == 0, b, np.nan))
        moved = Atoms(
            np.where(a == 0, np.nan, self.start * a + b),
            self.step * np.abs(a),
            np.where(a > 0, *ends),
            np.where(a > 0, ends[1], ends[0]),
        )
        return moved.beside(still) if (a == 0).any() else moved

    def cut(self, low: Array | float, high: Array | float) -> Atoms:
        """Return what lies between bounds, (C, 1) each or numbers."""
        low, high = np.maximum(self.low, low), np.minimum(self.high, high)
        start = np.where(low <= high, self.start, np.nan)
        return Atoms(start, self.step, low, high)

    def beside(self, *others: Atoms) -> Atoms:
        """Return the atoms of several values of which each element is one."""
        every = (self, *others)
        return Atoms(
            *(
                np.concatenate([getattr(x, key) for x in every], axis=1)
                for key in ("start", "step", "low", "high")
            )
        ).few()

    def few(self) -> Atoms:
        """Return no more columns than there may be."""
        used = ~np.isnan(self.start).all(axis=0)
        kept = self if used.all() else self.columns(np.flatnonzero(used))
        if kept.start.shape[1] <= COLUMNS:
            return kept
        return Atoms.points(np.where(kept.vanish, 0.0, np.nan)[:, None])

    def columns(self, index: Array) -> Atoms:
        """Return some of the progressions."""
        arrays = (self.start, self.step, self.low, self.high)
        return Atoms(*(array[:, index] for array in arrays))

    def taken(self, index: Array) -> Atoms:
        """Return some channels; zero for an index of -1."""
        if not self.start.shape[1]:
            return Atoms.points(np.where(index < 0, 0.0, np.nan)[:, None])
        dead = (index < 0)[:, None]
        arrays = (self.start, self.step, self.low, self.high)
        return Atoms(*(np.where(dead, 0, array[index]) for array in arrays))

    def plus(self, other: Atoms) -> Atoms:
        """Return the atoms of a sum: of each progression of one with each of the other."""
        found = [
            _added(self.columns(np.array([i])), other.columns(np.array([j])))
            for i in range(self.start.shape[1])
            for j in range(other.start.shape[1])
        ]
        return Atoms.none(self.channels).beside(*found)

    def together(self) -> Atoms:
        """Return one progression a channel that holds all of its atoms; NaN where there is none."""
        if self.start.shape[1] == 1:
            return self
        first = np.full(self.channels, np.nan)
        step = np.zeros(self.channels)
        for column in range(self.start.shape[1]):
            start, own = self.start[:, column], self.step[:, column]
            known, empty = ~np.isnan(first), np.isnan(start)
            apart = np.where(known & ~empty, np.abs(start - first), 0)
            both = common(common(step, own), apart)
            step = np.where(empty, step, both)
            first = np.where(known | empty, first, start)
        low = np.where(np.isnan(self.start), np.inf, self.low).min(axis=1, initial=np.inf)
        high = np.where(np.isnan(self.start), -np.inf, self.high).max(axis=1, initial=-np.inf)
        return Atoms.lattice(np.where(np.isnan(step), np.nan, first), step, low, high)


def _added(a: Atoms, b: Atoms) -> Atoms:
    step = common(a.step, b.step)
    whole = Atoms(a.start + b.start, step, a.low + b.low, a.high + b.high)
    both = np.where(a.zeros & b.zeros, 0.0, np.nan)
    apart = np.isnan(step)
    return Atoms(
        np.where(apart, both, whole.start),
        np.where(apart, 0.0, step),
        np.where(apart, both, whole.low),
        np.where(apart, both, whole.high),
    )


def common(a: Array, b: Array) -> Array:
    """The greatest number of which a and b are whole multiples; NaN where there is none."""
    large, small = np.maximum(a, b).astype(np.float64), np.minimum(a, b).astype(np.float64)
    top = large.copy()
    with np.errstate(all="ignore"):
        for _ in range(24):
            small = np.where(small <= top * (8 * ROUNDING), 0, small)
            if not small.any():
                break
            times = np.where(small > 0, np.rint(large / small), 0)
            rest = np.abs(large - times * small)
            large, small = np.where(small > 0, small, large), np.where(small > 0, rest, 0)
        fits = (small == 0) & (top <= large * STEPS)
    return np.where(fits, large, np.nan)


def joined(parts: Sequence[Atoms]) -> Atoms:
    """The atoms of channels behind channels."""
    width = max(part.start.shape[1] for part in parts)

    def widened(array: Array, nothing: float) -> Array:
        missing = ((0, 0), (0, width - array.shape[1]))
        return np.pad(array, missing, constant_values=nothing)

    return Atoms(
        np.concatenate([widened(part.start, np.nan) for part in parts]),
        *(
            np.concatenate([widened(getattr(part, key), 0.0) for part in parts])
            for key in ("step", "low", "high")
        ),
    )
