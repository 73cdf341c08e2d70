"""Applies a function on several threads while the caller works on what is done already."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from bnas_deploy.checks import whole

__all__ = ["checked_workers", "chunks", "in_order"]

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    function: Callable[[T], R], items: Iterable[T], *, workers: int, ahead: int
) -> Iterator[R]:
    """Yield the results in the order of the items, which the caller's thread takes one by one.

    Args:
        function: What to apply; its first error ends everything.
        items: Any number of them.
        workers: Number of threads; 0 applies it in the caller's thread, when a result is asked for.
        ahead: Number of items that may be taken before their result is asked for.
    """
    if workers == 0:
        yield from map(function, items)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - often not needed

    rest = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="bnas-decode")
    try:
        waiting = deque(pool.submit(function, item) for item in islice(rest, ahead))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(rest, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of so many; the last may be shorter."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def checked_workers(workers: object, threads: int) -> int:
    """Return the number of threads that decode pictures.

    Args:
        workers: What was asked for, or None: as many as `threads`, and none beside a single one.
        threads: Of the network.

    Raises:
        UsageError: It is no whole number of at least 0.
    """
    if workers is None:
        return threads if threads > 1 else 0
    return whole("workers", workers, 0)
