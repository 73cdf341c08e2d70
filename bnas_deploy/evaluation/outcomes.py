"""A network's answers on labelled pictures, collected one by one; memory stays small."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import numpy.typing as npt

__all__ = ["MISTAKES", "Mistake", "Outcomes"]

MISTAKES = 60
"""Of the most confident wrong answers, so many are kept with their pictures."""

Pixels = npt.NDArray[np.uint8]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer.

    Attributes:
        name: Of the picture.
        truth: Index of its class.
        predicted: Index of the class that was named.
        confidence: Probability of that class, between 0 and 1.
        pixels: (H, W, channels) uint8, as the network saw it.
    """

    name: str
    truth: int
    predicted: int
    confidence: float
    pixels: Pixels


@dataclass
class Outcomes:
    """What a network answered.

    Attributes:
        labels: Names of the classes.
        truths: Index of each picture's class, in the order of `add`.
        answers: Index of the class that was named.
        confidences: Probability of that class.
        ranks: How many classes were named before the right one.
        unreadable: Names of the pictures that could not be read, and why.
    """

    labels: tuple[str, ...]
    truths: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    _worst: list[tuple[float, int, Mistake]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def add(
        self, name: str, pixels: Pixels, probabilities: npt.NDArray[np.floating], truth: int
    ) -> None:
        """Take the answer on one picture.

        Args:
            name: Of the picture.
            pixels: (H, W, channels) uint8.
            probabilities: (classes,), each between 0 and 1.
            truth: Index of its class.
        """
        order = np.argsort(-probabilities, kind="stable")
        answer = int(order[0])
        confidence = float(probabilities[answer])
        self.truths.append(truth)
        self.answers.append(answer)
        self.confidences.append(confidence)
        self.ranks.append(int(np.flatnonzero(order == truth)[0]))
        if answer != truth:
            self._keep(Mistake(name, truth, answer, confidence, pixels))

    @property
    def mistakes(self) -> list[Mistake]:
        """The most confident wrong answers, most confident first, at most `MISTAKES`."""
        return [mistake for *_, mistake in sorted(self._worst, key=lambda row: (-row[0], -row[1]))]

    def _keep(self, mistake: Mistake) -> None:
        # Of equal confidence, the first that came stays.
        row = (mistake.confidence, -next(self._order), mistake)
        if len(self._worst) < MISTAKES:
            heapq.heappush(self._worst, row)
        else:
            heapq.heappushpop(self._worst, row)
