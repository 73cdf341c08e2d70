"""Measures several ways to do one thing in turns, so that disturbances hit all alike.

A round gives every contestant a short block.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["MOST_CALLS", "Contestant", "race"]

BLOCK_SECONDS = 0.02
MOST_CALLS = 10
SHORT_SECONDS = 0.02


@dataclass(frozen=True)
class Contestant:
    """One way to do the thing.

    Attributes:
        name: What the result is found under.
        run: Does it.
        repeats: How many times one call of `run` does it.
    """

    name: str
    run: Callable[[], object]
    repeats: int = 1


def race(contestants: Sequence[Contestant], rounds: int) -> dict[str, list[float]]:
    """Seconds of every timed call, by contestant; the blocks of a round alternate.

    A short call is preceded by an untimed one, because the others have emptied the caches.
    """
    calls = {c.name: _calls(c) for c in contestants}
    seconds: dict[str, list[float]] = {c.name: [] for c in contestants}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            for contestant in contestants:
                count, warm = calls[contestant.name]
                if warm:
                    contestant.run()
                seconds[contestant.name] += [_seconds(contestant) for _ in range(count)]
    finally:
        if collecting:
            gc.enable()
    return seconds


def _seconds(contestant: Contestant) -> float:
    start = time.perf_counter()
    contestant.run()
    return (time.perf_counter() - start) / contestant.repeats


def _calls(contestant: Contestant) -> tuple[int, bool]:
    """Timed calls a block, and whether an untimed one goes first."""
    contestant.run()
    call = median(_seconds(contestant) for _ in range(3)) * contestant.repeats
    return max(1, min(MOST_CALLS, int(BLOCK_SECONDS / call))), call < SHORT_SECONDS
