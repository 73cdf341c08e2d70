"""The inputs of some layers while a program runs on pictures.

The pictures are given or synthetic: noise with the spectrum of photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnas_deploy import engine
from bnas_deploy.format import PackedModel, Preprocessing

__all__ = ["Seen", "natural_noise", "watch_inputs"]

Floats = npt.NDArray[np.float32]

SAMPLES = 2**15  # of each channel, over all pictures
BATCH = 8
SEED = 11


@dataclass(frozen=True)
class Seen:
    """What a value was like.

    Attributes:
        samples: (M, C), pixels drawn from all pictures.
        low: (C,), the least of all pixels.
        high: (C,), the largest.
    """

    samples: Floats
    low: Floats
    high: Floats


def watch_inputs(
    model: PackedModel,
    images: Floats,
    names: Sequence[str],
    *,
    backend: str | None = None,
    threads: int = 1,
) -> dict[str, Seen]:
    """Run the program on images (N, C, H, W), preprocessed, and look at float values by name.

    Raises:
        BackendError: The backend is not available.
    """
    runner = engine.create(model, backend=backend, threads=threads)
    rng = np.random.default_rng(SEED)
    most = -(-SAMPLES // len(images))
    parts: dict[str, list[Seen]] = {name: [] for name in names}
    for start in range(0, len(images), BATCH):
        values = runner.trace(images[start : start + BATCH])
        for name, found in parts.items():
            found += [_look(image, most, rng) for image in values[name]]
    return {name: _joined(found) for name, found in parts.items()}


def _look(value: npt.NDArray[np.generic], most: int, rng: np.random.Generator) -> Seen:
    pixels = np.asarray(value, np.float32).reshape(len(value), -1).T  # (P, C)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    if len(pixels) > most:
        pixels = pixels[rng.choice(len(pixels), most, replace=False)]
    return Seen(pixels.copy(), low, high)


def _joined(parts: Sequence[Seen]) -> Seen:
    return Seen(
        np.concatenate([part.samples for part in parts]),
        np.min([part.low for part in parts], axis=0),
        np.max([part.high for part in parts], axis=0),
    )


def natural_noise(count: int, preprocessing: Preprocessing, *, seed: int = SEED) -> Floats:
    """Make pictures (count, C, H, W) out of noise whose amplitudes fall with the frequency.

    Photographs have such a spectrum (Field 1987), and mostly brightness, not colour, varies in
    them. Brightness and contrast differ from picture to picture.
    """
    rng = np.random.default_rng(seed)
    (height, width), channels = preprocessing.crop, len(preprocessing.mean)
    common = _one_over_f(rng, count, 1, (height, width))
    own = _one_over_f(rng, count, channels, (height, width))
    contrast = rng.uniform(0.08, 0.35, (count, 1, 1, 1))
    level = rng.uniform(0.2, 0.8, (count, 1, 1, 1)) + rng.normal(0, 0.06, (count, channels, 1, 1))
    pixels = np.clip(level + contrast * (common + 0.35 * own), 0, 1)
    pixels = np.rint(255 * pixels) / 255  # as a file would hold them
    mean, std = (
        np.asarray(v)[None, :, None, None] for v in (preprocessing.mean, preprocessing.std)
    )
    return np.asarray((pixels - mean) / std, np.float32)


def _one_over_f(
    rng: np.random.Generator, count: int, channels: int, size: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Fields (count, channels, H, W) of mean 0 and, where there are pixels enough, deviation 1."""
    height, width = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    amplitude = np.divide(1, frequency, out=np.zeros_like(frequency), where=frequency > 0)
    white = np.fft.rfft2(rng.standard_normal((count, channels, height, width)))
    fields = np.fft.irfft2(white * amplitude, s=size)
    deviation = fields.std(axis=(2, 3), keepdims=True)
    return np.asarray(fields / np.where(deviation > 0, deviation, 1), np.float64)
