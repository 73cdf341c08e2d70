"""Tests of probabilities and ranking."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.runtime.predictions import best, softmax


def test_softmax_does_not_overflow_and_keeps_small_differences() -> None:
    logits = np.array([[1e38, -1e38, 0], [1000, 1000.5, 999], [-3e38, -3e38, -3e38]], np.float32)
    p = softmax(logits)
    assert p.dtype == np.float64
    assert p.sum(axis=1) == pytest.approx([1, 1, 1])
    assert p[0].tolist() == [1, 0, 0]
    assert p[1, 1] / p[1, 0] == pytest.approx(np.exp(0.5))
    assert p[2] == pytest.approx([1 / 3] * 3)


def test_softmax_of_nothing() -> None:
    assert softmax(np.empty((0, 3), np.float32)).shape == (0, 3)


def test_softmax_leaves_its_argument_alone() -> None:
    logits = np.array([[1, 2]], np.float32)
    softmax(logits)
    assert logits.tolist() == [[1, 2]]


def test_best_first_and_equals_in_label_order() -> None:
    prediction = best(np.array([0.2, 0.3, 0.2, 0.3]), ("a", "b", "c", "d"), 3)
    assert [(g.label, g.index) for g in prediction.top] == [("b", 1), ("d", 3), ("a", 0)]
    assert (prediction.label, prediction.index, prediction.probability) == ("b", 1, 0.3)


@pytest.mark.parametrize(("top_k", "expected"), [(1, 1), (2, 2), (9, 2)])
def test_top_k_beyond_the_classes_gives_all(top_k: int, expected: int) -> None:
    assert len(best(np.array([0.5, 0.5]), ("a", "b"), top_k).top) == expected
