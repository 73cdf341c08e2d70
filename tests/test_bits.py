"""Tests of packing at the edges of a word."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnas_deploy.bits import negative, pack_rows, padding_is_zero, unpack_rows, words_for

EDGES = [1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 193]


@pytest.mark.parametrize("k", EDGES)
def test_round_trip_and_padding(k: int) -> None:
    rng = np.random.default_rng(k)
    bits = rng.random((3, 2, k)) < 0.5
    words = pack_rows(bits)
    assert words.dtype == np.uint64
    assert words.shape == (3, 2, words_for(k))
    assert np.array_equal(unpack_rows(words, k), bits)
    assert padding_is_zero(words, k)
    assert not unpack_rows(words, words_for(k) * 64)[..., k:].any()


@pytest.mark.parametrize("k", EDGES)
def test_first_element_is_least_significant_bit(k: int) -> None:
    for i in {0, k // 2, k - 1}:
        bits = np.zeros(k, bool)
        bits[i] = True
        words = pack_rows(bits)
        assert int(words[i // 64]) == 1 << (i % 64)
        assert np.count_nonzero(words) == 1


@pytest.mark.parametrize("k", [k for k in EDGES if k % 64])
def test_padding_bit_is_noticed(k: int) -> None:
    words = pack_rows(np.ones((2, k), bool))
    words[1, -1] |= np.uint64(1 << (k % 64))
    assert not padding_is_zero(words, k)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0,)])
def test_empty_rows(shape: tuple[int, ...]) -> None:
    words = pack_rows(np.zeros(shape, bool))
    assert words.shape == (*shape[:-1], words_for(shape[-1]))
    assert padding_is_zero(words, shape[-1])


def test_sign_of_zeros_is_positive() -> None:
    x = np.array([0.0, -0.0, 1e-45, -1e-45, np.inf, -np.inf, np.nan], np.float32)
    assert negative(x).tolist() == [False, False, False, True, False, True, False]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(hnp.arrays(np.bool_, st.tuples(st.integers(0, 4), st.integers(1, 200))), st.data())
def test_dot_product_is_n_minus_twice_the_differences(a: np.ndarray, data: st.DataObject) -> None:
    b = data.draw(hnp.arrays(np.bool_, a.shape))
    n = a.shape[1]
    different = unpack_rows(pack_rows(a) ^ pack_rows(b), n).sum(axis=1)
    signs = np.where(a, -1, 1) * np.where(b, -1, 1)
    assert np.array_equal(n - 2 * different, signs.sum(axis=1))


def test_examples_of_the_page() -> None:
    page = Path(__file__).parents[1] / "docs" / "bits.md"
    if not page.is_file():
        pytest.skip("the documentation is not beside the tests")
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted >= 6
    assert result.failed == 0
