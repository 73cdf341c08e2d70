"""How many CPUs this process may use: those it may run on, and its container's quota."""

from __future__ import annotations

import os
from pathlib import Path

from bnas_deploy.checks import whole
from bnas_deploy.shown import shown

__all__ = ["capped_threads", "usable_cpus"]

CGROUPS = Path("/sys/fs/cgroup")


def usable_cpus(cgroups: Path = CGROUPS) -> int:
    """Return the number of CPUs that can be kept busy, at least 1.

    A quota of 2.5 CPUs gives 2: a third thread would be stopped for half of every period.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota(cgroups)
    return max(1, min(allowed or 1, int(quota) if quota is not None else allowed or 1))


def capped_threads(asked: object) -> tuple[int, str | None]:
    """Return how many threads to start, and what to say where these are fewer than asked for.

    More threads than CPUs would wait for each other, and each takes memory of its own.

    Raises:
        UsageError: `asked` is no whole number of at least 1.
    """
    threads = whole("threads", asked, 1)
    if threads == 1:
        return 1, None
    most = usable_cpus()
    if threads <= most:
        return threads, None
    return most, f"{most} threads in place of {shown(threads)}: so many CPUs may be used here"


def _quota(cgroups: Path) -> float | None:
    """CPUs of the container's quota: of cgroups version 2, then 1; None where there is none."""
    words = _words(cgroups / "cpu.max")
    if not words:
        words = [
            *_words(cgroups / "cpu/cpu.cfs_quota_us"),
            *_words(cgroups / "cpu/cpu.cfs_period_us"),
        ]
    if len(words) != 2 or not all(word.isdecimal() for word in words) or int(words[1]) == 0:
        return None
    return int(words[0]) / int(words[1])


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
