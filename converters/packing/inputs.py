"""Inputs of a self-check that break things: by kind, made by code, for pictures and for vectors.

Noise alone hides what happens where many pixels are equal: a picture that is black somewhere makes
exact zeros, and what Sign(0) becomes shows nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.format import Preprocessing

__all__ = ["noise", "random_pictures", "structured"]

Floats = npt.NDArray[np.float32]
Shape = tuple[int, int, int]


def noise(count: int, shape: Shape, pixels: Preprocessing, *, seed: int = 0) -> Floats:
    """Return inputs (count, C, H, W): blotches of colour with noise, or normal numbers.

    Args:
        count: How many.
        shape: (C, H, W).
        pixels: How pictures become inputs.
        seed: Of the generator.
    """
    channels, height, _ = shape
    if channels == 3 and height > 1:
        return random_pictures(count, pixels.crop, pixels.mean, pixels.std, seed=seed)
    # Not pictures: their numbers lie on both sides of zero, or most signs would be the same.
    return np.random.default_rng(seed).standard_normal((count, *shape), np.float32)


def random_pictures(
    count: int,
    crop: tuple[int, int],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    *,
    seed: int = 0,
) -> Floats:
    """Return images (count, C, H, W), blotches of colour with noise, normalised like pictures."""
    rng = np.random.default_rng(seed)
    height, width = crop
    coarse = rng.random((count, len(mean), 4, 4), dtype=np.float32)
    rows, cols = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    fine = rng.random((count, len(mean), height, width), dtype=np.float32)
    return _normalised(0.75 * coarse[:, :, rows][:, :, :, cols] + 0.25 * fine, mean, std)


def structured(shape: Shape, pixels: Preprocessing | None) -> dict[str, Floats]:
    """Return inputs (N, C, H, W) by kind, few of each, the same at every call.

    Args:
        shape: (C, H, W); vectors have one row or one column.
        pixels: How pictures become inputs; None if nobody says, so that 0 is black, and whole
            numbers go to 255.
    """
    rng = np.random.default_rng(1)
    if min(shape[1:]) == 1:
        return {
            kind: make(math.prod(shape), rng).reshape(-1, *shape).astype(np.float32)
            for kind, make in _VECTORS.items()
        }
    found = {}
    for kind, make in _PICTURES.items():
        made = np.rint(255 * make(shape, rng)).astype(np.float32)
        if pixels is not None:
            found[kind] = _normalised(made / np.float32(255), pixels.mean, pixels.std)
        else:
            found[kind] = made if kind == _WHOLE else made / np.float32(255)
    return found


def _normalised(images: Floats, mean: tuple[float, ...], std: tuple[float, ...]) -> Floats:
    shift, scale = (np.asarray(x, np.float32)[None, :, None, None] for x in (mean, std))
    return ((images - shift) / scale).astype(np.float32)


Drawn = npt.NDArray[Any]
Picture = Callable[[Shape, np.random.Generator], Drawn]
"""Makes pictures (N, C, H, W) from 0 to 1, of some (C, H, W)."""


def _flat(shape: Shape, rng: np.random.Generator) -> Drawn:
    return np.broadcast_to(rng.random((3, shape[0], 1, 1)), (3, *shape))


def _half_black(shape: Shape, rng: np.random.Generator) -> Drawn:
    _, height, width = shape
    pictures = rng.random((2, *shape))
    pictures[0, :, : (height + 1) // 2] = 0
    pictures[1, :, :, width // 2 :] = 0
    return pictures


def _whole(shape: Shape, rng: np.random.Generator) -> Drawn:
    """Any grey levels, and black and white alone."""
    return np.concatenate([rng.random((1, *shape)), rng.random((1, *shape)) < 0.2])


def _one_bright(shape: Shape, rng: np.random.Generator) -> Drawn:
    _, height, width = shape
    pictures = np.zeros((2, *shape))
    pictures[0, :, height // 2, width // 2] = 1
    pictures[1, :, 0, width - 1] = 1
    return pictures


def _drawings(shape: Shape, rng: np.random.Generator) -> Drawn:
    """A sky over a ground with a ball and a box, and twice a bright curve on black."""
    channels, height, width = shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    colours = rng.random((4, channels, 1, 1))
    scene = np.where(y < 0.2, colours[0] * (0.8 + 0.2 * y), colours[1] * (1 - 0.5 * y))
    light = np.clip(1 - ((x + 0.5) ** 2 + (y + 0.4) ** 2), 0, 1)
    scene = np.where((x + 0.3) ** 2 + (y + 0.2) ** 2 < 0.16, colours[2] * light, scene)
    scene = np.where((abs(x - 0.5) < 0.25) & (abs(y - 0.4) < 0.3), colours[3] * (1 - x / 2), scene)
    curves = []
    for bend in (2.0, 5.0):
        away = abs(np.hypot(x, y) - 0.55 - 0.15 * np.sin(bend * np.arctan2(y, x)))
        curves.append(np.broadcast_to(np.clip(1.5 - 8 * away, 0, 1), shape))
    drawn: Drawn = np.clip(np.stack([scene, scene[:, :, ::-1], *curves]), 0, 1)
    return drawn


_WHOLE = "whole numbers"

_PICTURES: Mapping[str, Picture] = {
    "black": lambda shape, rng: np.zeros((1, *shape)),
    "white": lambda shape, rng: np.ones((1, *shape)),
    "flat colours": _flat,
    "half black": _half_black,
    _WHOLE: _whole,
    "one bright pixel": _one_bright,
    "drawings": _drawings,
}

_VECTORS: Mapping[str, Callable[[int, np.random.Generator], Drawn]] = {
    "zeros": lambda size, rng: np.zeros((1, size)),
    "ones": lambda size, rng: np.ones((1, size)),
    _WHOLE: lambda size, rng: rng.integers([[0], [0], [-128]], [[2], [256], [128]], (3, size)),
    "one-hot": lambda size, rng: np.eye(size)[[0, size // 2, size - 1]],
}
