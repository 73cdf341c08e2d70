"""Mistaken pictures, each as a small file that a page can hold, and all of them on one sheet."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from bnas_deploy.evaluation.outcomes import Mistake, Pixels

__all__ = ["contact_sheet", "thumbnail"]

SIDE, GAP, COLUMNS = 96, 4, 10


def thumbnail(pixels: Pixels) -> bytes:
    """Return a PNG of at most `SIDE` pixels; small pictures grow by whole factors.

    Args:
        pixels: (H, W, 3) or (H, W, 1) uint8.
    """
    file = io.BytesIO()
    _fitted(pixels).save(file, "png")
    return file.getvalue()


def contact_sheet(mistakes: Sequence[Mistake]) -> bytes:
    """Return a PNG of mistaken pictures in rows, in the given order, at least one."""
    rows = -(-len(mistakes) // COLUMNS)
    step = SIDE + GAP
    sheet = Image.new("RGB", (min(len(mistakes), COLUMNS) * step + GAP, rows * step + GAP), "white")
    for place, mistake in enumerate(mistakes):
        row, column = divmod(place, COLUMNS)
        sheet.paste(_fitted(mistake.pixels), (GAP + column * step, GAP + row * step))
    file = io.BytesIO()
    sheet.save(file, "png")
    return file.getvalue()


def _fitted(pixels: Pixels) -> Image.Image:
    three = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    picture = Image.fromarray(np.ascontiguousarray(three))
    factor = SIDE / max(picture.size)
    if factor >= 2:
        return picture.resize(
            [side * int(factor) for side in picture.size], Image.Resampling.NEAREST
        )
    size = [max(1, round(side * min(factor, 1.0))) for side in picture.size]
    return picture.resize(size, Image.Resampling.BOX)
