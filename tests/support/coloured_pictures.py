"""Data sets of small noisy pictures whose classes are colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"red": "red", "green": "lime", "blue": "blue"}
"""Names of classes, and what Pillow calls the pure colours."""


def write_pictures(root: Path, classes: Sequence[str], *, train: int, test: int) -> Path:
    """Write root/train|test/<class>/<number>.png, 8 by 8 pixels; return root."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        for label in classes:
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 120, (8, 8, 3), dtype=np.uint8)
                pixels[..., list(COLOURS).index(label)] += 120
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return root
