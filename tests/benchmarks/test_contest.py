"""Contestants take turns, and their own times reach pytest-benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import contest
import pytest
from contest import Contestant


def test_contestants_take_turns() -> None:
    order: list[str] = []

    def entry(name: str) -> Contestant:
        def run() -> None:
            order.append(name)
            time.sleep(0.03)  # longer than a block, so that every block is one call

        return Contestant(name, run)

    seconds = contest.race([entry("a"), entry("b")], rounds=3)
    assert order[-6:] == ["a", "b"] * 3
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}


def test_short_calls_are_repeated_and_warmed() -> None:
    calls = 0

    def run() -> None:
        nonlocal calls
        calls += 1

    seconds = contest.race([Contestant("a", run)], rounds=2)
    assert len(seconds["a"]) == 2 * contest.MOST_CALLS
    assert calls == 1 + 3 + 2 * (1 + contest.MOST_CALLS)  # first, estimate, rounds with a warm-up


def test_a_call_that_repeats_counts_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(contest.time, "perf_counter", lambda: float(next(ticks)))
    seconds = contest.race([Contestant("a", lambda: None, repeats=4)], rounds=1)
    assert seconds["a"] == [0.25]


def test_report_replays_the_times(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(REPORTING)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-enable"]
    folder = Path(contest.__file__).parent
    run = subprocess.run(
        [*line, "-c", os.devnull, "-o", f"pythonpath={folder}", str(test)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert "1 passed" in run.stdout, run.stdout


REPORTING = """
import contest

pytestmark = contest.replayed

def test_it(benchmark):
    contest.report(benchmark, [0.5, 1.5, 4.0], "group", kind="network")
    assert benchmark.stats.stats.sorted_data == [0.5, 1.5, 4.0]
    assert benchmark.group == "group"
    assert benchmark.extra_info == {"kind": "network"}
"""
