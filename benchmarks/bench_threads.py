"""Two threads, on a batch and on one image, also beside a busy core, and two callers of one model.

The answers of two threads are compared with those of one. The ratio is two threads over one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import cache

import contest
import networks
import numpy as np
import pytest
from networks import Variant
from pytest_benchmark.fixture import BenchmarkFixture

from bnas_deploy import engine
from bnas_deploy.rivals.turns import Contestant, race

pytestmark = contest.replayed

VARIANT = Variant("A")
ROUNDS, QUICK_ROUNDS = 30, 2
BATCH, CALLS = 64, 16
CASES = ("batch", "image", "busy", "callers")
THREADS = (1, 2)
BUSY_ROUNDS = 100  # a 99th percentile needs many calls
SPIN = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"


@pytest.fixture(autouse=True, scope="module")
def cores() -> None:
    """All cores stay allowed."""
    if len(os.sched_getaffinity(0)) < max(THREADS):
        pytest.skip("two threads need two cores")


def workload(case: str, threads: int) -> Callable[[], object]:
    """One call of a case; every case does the same work whatever the number of threads.

    batch: 64 images in one call. image, busy: one image in one call. callers: 16 single images,
    by as many Python threads, of a model that uses one thread for each.
    """
    images = networks.images(32, BATCH if case == "batch" else 1)
    inner = 1 if case == "callers" else threads
    runner = engine.create(networks.packed(VARIANT), threads=inner)
    single = engine.create(networks.packed(VARIANT))
    np.testing.assert_array_equal(runner.run(images), single.run(images))
    if case != "callers":
        return lambda: runner.run(images)
    pool = ThreadPoolExecutor(threads)

    def calls(_: int) -> None:
        for _call in range(CALLS // threads):
            runner.run(images)

    return lambda: list(pool.map(calls, range(threads)))


@contextmanager
def busy_core() -> Iterator[None]:
    """Confine this process to two cores, and let another process keep one of them busy."""
    allowed = os.sched_getaffinity(0)
    pair = sorted(allowed)[-2:]
    spinning = subprocess.Popen([sys.executable, "-c", SPIN, str(pair[0])])
    try:
        os.sched_setaffinity(0, pair)
        yield
    finally:
        spinning.kill()
        spinning.wait()
        os.sched_setaffinity(0, allowed)


@cache
def raced(case: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of one call of a case with each number of threads."""
    with busy_core() if case == "busy" else nullcontext():
        entries = [Contestant(str(threads), workload(case, threads)) for threads in THREADS]
        return race(entries, rounds)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("case", CASES)
def bench_threads(benchmark: BenchmarkFixture, case: str, threads: int, quick: bool) -> None:
    rounds = BUSY_ROUNDS if case == "busy" else ROUNDS
    seconds = raced(case, QUICK_ROUNDS if quick else rounds)[str(threads)]
    p99 = float(np.percentile(seconds, 99))
    facts = {"kind": "threads", "case": case, "threads": threads, "p99": p99}
    contest.report(benchmark, seconds, f"threads/{case}", **facts, **VARIANT.facts)
