"""Tests of work on several threads: order, how many, how far ahead, errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.in_order import checked_workers, in_order

LONG = 60


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_results_come_in_order(workers: int, count: int) -> None:
    def slow_at_first(i: int) -> int:
        time.sleep(0.01 if i % 3 == 0 else 0)
        return i * i

    found = in_order(slow_at_first, iter(range(count)), workers=workers, ahead=4)
    assert list(found) == [i * i for i in range(count)]


def test_so_many_work_at_once() -> None:
    barrier = threading.Barrier(3)
    results = in_order(lambda _: barrier.wait(LONG), range(6), workers=3, ahead=6)
    assert sorted(list(results)[:3]) == [0, 1, 2]


def test_without_workers_the_caller_does_it() -> None:
    threads = set(in_order(lambda _: threading.get_ident(), range(3), workers=0, ahead=2))
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_callers_thread_takes_items_no_further_than_asked(workers: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(100):
            taken.append(threading.get_ident())
            yield i

    results = in_order(lambda i: i, items(), workers=workers, ahead=5)
    assert next(results) == 0
    assert len(taken) <= 6
    results.close()
    assert set(taken) == {threading.get_ident()}


def test_an_error_ends_it_and_no_thread_stays() -> None:
    before = threading.active_count()
    done = []

    def fails_at_two(i: int) -> int:
        if i == 2:
            raise ZeroDivisionError
        done.append(i)
        return i

    results = in_order(fails_at_two, range(1000), workers=2, ahead=50)
    with pytest.raises(ZeroDivisionError):
        list(results)
    assert threading.active_count() == before
    assert len(done) < 1000


def test_numbers_of_workers() -> None:
    assert checked_workers(None, 1) == 0
    assert checked_workers(None, 4) == 4
    assert checked_workers(0, 4) == 0
    assert checked_workers(np.int64(3), 1) == 3
    for wrong in (-1, 1.5, "2", True):
        with pytest.raises(UsageError, match="workers must be a whole number of at least 0"):
            checked_workers(wrong, 1)
