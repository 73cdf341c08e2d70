"""Numbers that sum up a network's answers: accuracy with its interval, classes, calibration."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnas_deploy.evaluation.outcomes import Outcomes

__all__ = ["Bin", "ClassMeasures", "Measures", "interval", "measure"]

BINS = 15
"""Of confidence, equally wide, as in Guo et al., "On Calibration of Modern Neural Networks"."""

QUANTILE = 1.959963984540054
"""Of the normal distribution: 95% lie within so many standard deviations."""

TOP_5_FROM = 10
"""Classes from which on the five best say something."""


@dataclass(frozen=True)
class ClassMeasures:
    """How one class fared.

    Attributes:
        label: Its name.
        pictures: Of this class.
        right: Of those, how many were named so.
        named: Pictures of any class that were named so.
    """

    label: str
    pictures: int
    right: int
    named: int

    @property
    def recall(self) -> float | None:
        """Share of its pictures that were named so; None where it has none."""
        return self.right / self.pictures if self.pictures else None

    @property
    def precision(self) -> float | None:
        """Share of the pictures named so that are of this class; None where none was."""
        return self.right / self.named if self.named else None


@dataclass(frozen=True)
class Bin:
    """Answers of similar confidence.

    Attributes:
        low: Where the bin begins; it ends `1 / BINS` higher.
        count: Answers in it.
        confidence: Their mean.
        accuracy: Share of them that are right.
    """

    low: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Measures:
    """All of it.

    Attributes:
        count: Pictures.
        right: Of those, how many were named right.
        top_5: How many had the right class among the best five; None below `TOP_5_FROM` classes.
        classes: In the order of the labels.
        confusion: (classes, classes), pictures by their class (row) and the class named (column).
        bins: Those with answers, from low to high confidence.
        calibration_error: Mean of |accuracy - confidence| over the answers, bin by bin.
    """

    count: int
    right: int
    top_5: int | None
    classes: tuple[ClassMeasures, ...]
    confusion: npt.NDArray[np.int64]
    bins: tuple[Bin, ...]
    calibration_error: float

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.right / self.count


def measure(outcomes: Outcomes) -> Measures:
    """Sum up answers; there must be at least one."""
    size = len(outcomes.labels)
    truths, answers = np.asarray(outcomes.truths), np.asarray(outcomes.answers)
    confusion = np.zeros((size, size), np.int64)
    np.add.at(confusion, (truths, answers), 1)
    classes = tuple(
        ClassMeasures(label, int(row.sum()), int(row[i]), int(confusion[:, i].sum()))
        for i, (label, row) in enumerate(zip(outcomes.labels, confusion, strict=True))
    )
    bins = _bins(np.asarray(outcomes.confidences), truths == answers)
    return Measures(
        count=len(truths),
        right=int(confusion.trace()),
        top_5=sum(rank < 5 for rank in outcomes.ranks) if size >= TOP_5_FROM else None,
        classes=classes,
        confusion=confusion,
        bins=bins,
        calibration_error=sum(b.count * abs(b.accuracy - b.confidence) for b in bins) / len(truths),
    )


def interval(right: int, count: int) -> tuple[float, float]:
    """Return the 95% interval of a share (Wilson's, which holds for small counts, too).

    Args:
        right: How many.
        count: Of how many, at least one.
    """
    share, square = right / count, QUANTILE**2 / count
    centre = share + square / 2
    half = QUANTILE * math.sqrt(share * (1 - share) / count + square / (4 * count))
    low, high = ((centre + sign * half) / (1 + square) for sign in (-1, 1))
    return max(0.0, low), min(1.0, high)


def _bins(confidences: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> tuple[Bin, ...]:
    places = np.minimum((confidences * BINS).astype(int), BINS - 1)
    found = []
    for place in np.unique(places):
        inside = places == place
        confidence, accuracy = confidences[inside].mean(), right[inside].mean()
        found.append(Bin(int(place) / BINS, int(inside.sum()), float(confidence), float(accuracy)))
    return tuple(found)
