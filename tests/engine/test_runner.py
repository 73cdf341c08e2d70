"""Tests of the checks that all backends share."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.engine.runner import check_images, check_threads, steady_clock, time_steps
from bnas_deploy.errors import UsageError

SHAPE = (3, 4, 5)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_images_pass(n: int) -> None:
    x = np.zeros((n, *SHAPE), np.float32)
    assert check_images(x, SHAPE) is x


def test_images_become_contiguous() -> None:
    x = np.random.default_rng(0).random((2, 4, 5, 3), np.float32).transpose(0, 3, 1, 2)
    y = check_images(x, SHAPE)
    assert y.flags.c_contiguous
    assert np.array_equal(x, y)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([[1.0]], r"float32 array of shape \(N, 3, 4, 5\), got list"),
        (None, "got NoneType"),
        (np.zeros((1, *SHAPE)), r"got dtype float64; convert with images.astype"),
        (np.zeros((1, *SHAPE), ">f4"), "got dtype >f4"),
        (np.zeros(SHAPE, np.float32), r"got shape \(3, 4, 5\); add the batch axis"),
        (np.zeros((1, 4, 5, 3), np.float32), r"got shape \(1, 4, 5, 3\)$"),
        (np.float32(1), "got float32; convert"),
    ],
)
def test_images_are_refused(images: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_images(images, SHAPE)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True, None])
def test_threads_are_refused(threads: object) -> None:
    with pytest.raises(UsageError, match="whole number of at least 1"):
        check_threads(threads)


def test_no_repeats_are_refused() -> None:
    with pytest.raises(UsageError, match="repeats must be a whole number of at least 1; got 0"):
        time_steps([], lambda _: None, 0)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(2.0, 2.0, 2.0), (2.0, 2.08, 2.04), (2.0, 2.2, None), (2.0, 1.8, None), (0.0, 0.0, None)],
)
def test_a_clock_that_changed_is_not_known(
    before: float, after: float, expected: float | None
) -> None:
    assert steady_clock(before, after) == (expected and pytest.approx(expected))
