"""Tests of the reference's fused multiply-add against exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from bnas_deploy.engine.reference.arithmetic import fma, relu

SMALLEST, LARGEST = -149, 127  # exponents of float32


def round_exactly(x: Fraction) -> np.float32:
    """`x` rounded once to float32, nearest even; zero is for the caller."""
    a, e = abs(x), SMALLEST + 23
    while e < LARGEST + 1 and Fraction(2) ** (e + 1) <= a:
        e += 1
    unit = Fraction(2) ** (e - 23)
    n, rest = divmod(a, unit)
    if 2 * rest > unit or (2 * rest == unit and n % 2):
        n += 1
    value = n * unit
    result = math.inf if value >= Fraction(2) ** (LARGEST + 1) else float(value)
    return np.float32(math.copysign(result, x))


def check(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        got = fma(a, b, c)
    for x, y, z, r in zip(a, b, c, got, strict=True):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        if exact == 0:
            assert r == 0
        else:
            assert r == round_exactly(exact), (x, y, z)


def draw(rng: np.random.Generator, n: int, low: int, high: int, bits: int = 24) -> np.ndarray:
    """Floats of up to `bits` significant bits with exponents from `low` to below `high`."""
    mantissa = rng.integers(1, 2**bits, n) * rng.choice([-1, 1], n)
    return np.ldexp(mantissa.astype(np.float64), rng.integers(low, high, n)).astype(np.float32)


# Exponents of (a, b), of c, and significant bits, each made for one hazard.
HAZARDS = {
    "ordinary": ((-24, -20), (-26, -18), 24),
    "ties of the sum": ((-12, -11), (-1, 24), 12),
    "double rounding": ((-24, -23), (-47, -23), 13),
    "tiny addend": ((-24, -23), (-140, -60), 24),
    "subnormal result": ((-85, -74), (-149, -146), 12),
    "subnormal ties": ((-82, -79), (-149, -148), 8),
    "overflow": ((38, 41), (100, 104), 24),
}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_one_rounding(hazard: str) -> None:
    rng = np.random.default_rng(3)
    factors, addend, bits = HAZARDS[hazard]
    n = 1500
    check(draw(rng, n, *factors, bits), draw(rng, n, *factors, bits), draw(rng, n, *addend))


def test_cancellation() -> None:
    rng = np.random.default_rng(4)
    a, b = draw(rng, 1500, -24, -20), draw(rng, 1500, -24, -20)
    c = (-a.astype(np.float64) * b).astype(np.float32)
    check(a, b, c)
    check(a, b, np.nextafter(c, np.float32(0)))


def reciprocals(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs whose product misses 1 by less than 2^-30, on either side."""
    a = (1 + rng.random(200 * n)).astype(np.float32)
    b = (1 / a).astype(np.float32)
    error = np.abs(a.astype(np.float64) * b - 1)
    near = np.flatnonzero((error > 0) & (error < 2**-30))[:n]
    return a[near], b[near]


@pytest.mark.parametrize("exponent", [0, 80, -100, -126])
def test_ties_decided_beyond_float64(exponent: int) -> None:
    """c plus half a unit of c, times 1 + e: float64 loses e, a second rounding would see a tie."""
    rng = np.random.default_rng(5)
    a, b = reciprocals(rng, 1000)
    assert len(a) == 1000
    c = np.ldexp(rng.integers(2**23, 2**24, len(a)).astype(np.float64), exponent - 23)
    half = np.ldexp(rng.choice([-1.0, 1.0], len(a)), exponent - 24 + 60)
    a, b = (a * half).astype(np.float32), np.ldexp(b, -60).astype(np.float32)
    check(a, b, c.astype(np.float32))
    naive = (a.astype(np.float64) * b + c).astype(np.float32)
    assert (naive != fma(a, b, c.astype(np.float32))).sum() > 200  # the hazard is real


@pytest.mark.parametrize(
    ("a", "b", "c", "negative"),
    [(0.0, 1.0, -0.0, False), (-0.0, 1.0, -0.0, True), (-1.0, 0.0, -0.0, True), (1, -1, 1, False)],
)
def test_sign_of_zero(a: float, b: float, c: float, negative: bool) -> None:
    r = fma(np.float32(a), np.float32(b), np.float32(c))
    assert r == 0
    assert np.signbit(r) == negative


def test_infinities_and_nan() -> None:
    inf = np.float32(np.inf)
    with np.errstate(all="ignore"):
        assert fma(inf, np.float32(1), np.float32(1)) == inf
        assert fma(np.float32(1), np.float32(1), -inf) == -inf
        assert np.isnan(fma(inf, np.float32(0), np.float32(1)))
        assert np.isnan(fma(inf, np.float32(1), -inf))


def test_relu_gives_positive_zero() -> None:
    y = relu(np.array([-0.0, np.nan, -1, 2], np.float32))
    assert y.tolist() == [0, 0, 0, 2]
    assert not np.signbit(y).any()
