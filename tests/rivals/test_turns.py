"""Contestants take turns."""

from __future__ import annotations

import time

import pytest

from bnas_deploy.rivals import turns
from bnas_deploy.rivals.turns import Contestant


def test_contestants_take_turns() -> None:
    order: list[str] = []

    def entry(name: str) -> Contestant:
        def run() -> None:
            order.append(name)
            time.sleep(0.03)  # longer than a block, so that every block is one call

        return Contestant(name, run)

    seconds = turns.race([entry("a"), entry("b")], rounds=3)
    assert order[-6:] == ["a", "b"] * 3
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}


def test_short_calls_are_repeated_and_warmed() -> None:
    calls = 0

    def run() -> None:
        nonlocal calls
        calls += 1

    seconds = turns.race([Contestant("a", run)], rounds=2)
    assert len(seconds["a"]) == 2 * turns.MOST_CALLS
    assert calls == 1 + 3 + 2 * (1 + turns.MOST_CALLS)  # first, estimate, rounds with a warm-up


def test_a_call_that_repeats_counts_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(turns.time, "perf_counter", lambda: float(next(ticks)))
    seconds = turns.race([Contestant("a", lambda: None, repeats=4)], rounds=1)
    assert seconds["a"] == [0.25]
