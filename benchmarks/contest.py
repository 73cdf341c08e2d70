"""Tells pytest-benchmark times that were measured in turns, and leaves the report to it.

By itself it measures one function after the other, minutes apart. Here it is told the times
afterwards, by a clock that `report` moves.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

__all__ = ["replayed", "report"]


class _Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


_CLOCK = _Clock()
replayed = pytest.mark.benchmark(timer=_CLOCK)
"""Marks a benchmark whose times come from `report`."""


def report(
    benchmark: BenchmarkFixture, seconds: Sequence[float], group: str, **facts: object
) -> None:
    """Hand the times of one contestant to pytest-benchmark, with facts for the report."""
    benchmark.group = group
    benchmark.extra_info.update(facts)
    times = iter(seconds)

    def pass_time() -> None:
        _CLOCK.now = next(times)

    def restart() -> None:
        _CLOCK.now = 0.0

    benchmark.pedantic(pass_time, setup=restart, rounds=len(seconds))
