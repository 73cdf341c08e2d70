"""Lets the C library keep memory that a step has freed, for the next step.

glibc gives large blocks back to the kernel as soon as they are free. Every step of training then
gets its activations as fresh pages, which the kernel fills with zeros one after another.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Parameters of mallopt(3)."""

_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Keep, in this process from now on, what is freed.

    Returns:
        Whether it is so; only glibc can be told.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, _NEVER))
