"""Tests of the difference of two arrays: bits, integers, and every special float."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.format.difference import Difference, compare_arrays

INF, NAN = float("inf"), float("nan")


def floats(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((1, 2), (1, 2), Difference(2, 0, 0, 0)),
        ((1, 2), (1, 3), Difference(2, 1, 1, 1 / 3)),
        ((4, -2), (2, 2), Difference(2, 2, 4, 2)),
        ((0.0,), (-0.0,), Difference(1, 1, 0, 0)),
        ((NAN, INF, -INF), (-NAN, INF, -INF), Difference(3, 0, 0, 0)),
        ((NAN,), (1,), Difference(1, 1, INF, INF)),
        ((INF,), (-INF,), Difference(1, 1, INF, INF)),
        ((1,), (INF,), Difference(1, 1, INF, INF)),
        ((0, 1), (0.5, 1), Difference(2, 1, 0.5, 1)),
        ((), (), Difference(0, 0, 0, 0)),
    ],
)
def test_floats(a: tuple[float, ...], b: tuple[float, ...], expected: Difference) -> None:
    assert compare_arrays(floats(*a), floats(*b)) == expected


def test_integers_at_their_ends_do_not_overflow() -> None:
    ends = np.array([-(2**31), 7], np.int32), np.array([2**31 - 1, 7], np.int32)
    assert compare_arrays(*ends) == Difference(2, 1, 2.0**32 - 1, (2.0**32 - 1) / 2**31)


def test_booleans() -> None:
    a, b = np.array([True, False, True]), np.array([True, True, False])
    assert compare_arrays(a, b) == Difference(3, 2, None, None)


@pytest.mark.parametrize("words", [0, 1, 3])
def test_packed_words_are_counted_in_bits(words: int) -> None:
    a = np.arange(2 * words, dtype=np.uint64).reshape(2, words)
    b = a.copy()
    b[1:, :1] ^= np.uint64(2**63 + 5)
    assert compare_arrays(a, b) == Difference(128 * words, 3 * min(words, 1), None, None)


def test_json_has_no_infinity() -> None:
    assert Difference(1, 1, INF, 0.5).to_dict() == {
        "elements": 1, "differing": 1, "largest_absolute": "inf", "largest_relative": 0.5,
    }  # fmt: skip
