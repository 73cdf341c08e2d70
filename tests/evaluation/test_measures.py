"""Tests of the numbers that sum up answers, against counts and figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.evaluation.measures import interval, measure
from bnas_deploy.evaluation.outcomes import MISTAKES, Outcomes

PIXELS = np.zeros((4, 4, 3), np.uint8)


def outcomes(rows: list[tuple[int, list[float]]], classes: int = 3) -> Outcomes:
    found = Outcomes(tuple(f"c{i}" for i in range(classes)))
    for place, (truth, probabilities) in enumerate(rows):
        found.add(f"picture {place}", PIXELS, np.array(probabilities), truth)
    return found


ROWS = [
    (0, [0.9, 0.1, 0.0]),
    (0, [0.2, 0.7, 0.1]),
    (1, [0.1, 0.8, 0.1]),
    (1, [0.5, 0.4, 0.1]),
]


def test_classes_and_confusion() -> None:
    found = measure(outcomes(ROWS))
    assert (found.count, found.right, found.top_5) == (4, 2, None)
    assert found.confusion.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    first, _, third = found.classes
    assert (first.recall, first.precision) == (0.5, 0.5)
    assert (third.recall, third.precision) == (None, None)


def test_calibration() -> None:
    found = measure(outcomes(ROWS))
    # Bins of 1/15: confidences 0.5, 0.7, 0.8 and 0.9 lie in four of them.
    assert [(b.count, b.accuracy) for b in found.bins] == [(1, 0), (1, 0), (1, 1), (1, 1)]
    assert found.calibration_error == pytest.approx((0.5 + 0.7 + 0.2 + 0.1) / 4)


def test_certainty_is_in_the_last_bin() -> None:
    (only,) = measure(outcomes([(0, [1.0, 0.0, 0.0])])).bins
    assert only.low == pytest.approx(14 / 15)


def test_top_5() -> None:
    descending = list(np.linspace(0.2, 0.0, 12))
    found = measure(outcomes([(4, descending), (5, descending)], classes=12))
    assert (found.right, found.top_5) == (0, 1)


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    # Wilson's interval, from its formula by hand with z = 1.96.
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_interval(right: int, count: int, low: float, high: float) -> None:
    assert interval(right, count) == pytest.approx((low, high), abs=1e-4)


def test_the_most_confident_mistakes_are_kept() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.5, 1.0, 3 * MISTAKES)
    found = outcomes([(1, [c, 1 - c, 0.0]) for c in confidences])
    kept = [mistake.confidence for mistake in found.mistakes]
    assert kept == sorted(confidences, reverse=True)[:MISTAKES]


def test_mistakes_of_equal_confidence_stay_in_order() -> None:
    found = outcomes([(1, [0.9, 0.1, 0.0])] * (MISTAKES + 5))
    assert [m.name for m in found.mistakes] == [f"picture {i}" for i in range(MISTAKES)]
