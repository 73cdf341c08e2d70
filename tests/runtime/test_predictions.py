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
    logits = np.log(np.array([0.2, 0.3, 0.2, 0.3], np.float32))
    prediction = best(logits, ("a", "b", "c", "d"), 3)
    assert [(g.label, g.index) for g in prediction.top] == [("b", 1), ("d", 3), ("a", 0)]
    assert (prediction.label, prediction.index) == ("b", 1)
    assert prediction.probability == pytest.approx(0.3)


def test_logits_rank_classes_whose_probabilities_are_zero() -> None:
    prediction = best(np.array([-2000, 5, -3000, -1000], np.float32), tuple("abcd"), 4)
    assert [g.label for g in prediction.top] == ["b", "d", "a", "c"]
    assert [g.probability for g in prediction.top] == [1, 0, 0, 0]


def test_without_probabilities_classes_are_in_order() -> None:
    prediction = best(np.array([1, np.nan, 3], np.float32), tuple("abc"), 3)
    assert [g.label for g in prediction.top] == ["a", "b", "c"]
    assert np.isnan([g.probability for g in prediction.top]).all()


@pytest.mark.parametrize(("top_k", "expected"), [(1, 1), (2, 2), (9, 2)])
def test_top_k_beyond_the_classes_gives_all(top_k: int, expected: int) -> None:
    assert len(best(np.zeros(2, np.float32), ("a", "b"), top_k).top) == expected


@pytest.mark.parametrize(
    ("logit", "answers"),
    [(2.0, ["fire", "not fire"]), (0.0, ["fire", "not fire"]), (-3.0, ["not fire", "fire"])],
)
def test_a_single_label_is_a_threshold(logit: float, answers: list[str]) -> None:
    prediction = best(np.array([logit], np.float32), ("fire",), 2)
    assert [guess.label for guess in prediction.top] == answers
    found = {guess.label: guess.probability for guess in prediction.top}
    assert found["fire"] == pytest.approx(1 / (1 + np.exp(-logit)))
    assert found["not fire"] == pytest.approx(1 - found["fire"])
    assert best(np.array([logit], np.float32), ("fire",), 1).top == prediction.top[:1]
