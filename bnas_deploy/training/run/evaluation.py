"""How an evaluation is divided into passes."""

from __future__ import annotations

__all__ = ["evaluation_passes"]

LENGTH = 500
"""Images of a pass; a tenth of it for images larger than `LARGE`."""

LARGE = 64
"""Pixels."""


def evaluation_passes(count: int, size: int) -> list[slice]:
    """Return which images each pass computes.

    Args:
        count: Of the images.
        size: Pixels of their longer side.
    """
    length = LENGTH // 10 if size > LARGE else LENGTH
    return [slice(start, start + length) for start in range(0, count, length)]
