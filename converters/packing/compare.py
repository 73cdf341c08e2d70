"""Compares the logits of PyTorch and of the packed engine.

They are not equal to the bit: PyTorch sums convolutions in its own order, and where a float lies
within rounding of a threshold, one sign differs and everything behind it moves a little. A wrong
conversion moves everything a lot. So two limits are set, both far from either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.eight_bit.facts import Agreement
from bnas_deploy.errors import ConversionError

__all__ = ["MAX_8BIT_ERROR", "SelfCheck", "compare_8bit", "compare_logits", "random_pictures"]

MAX_RELATIVE_ERROR = 0.1
"""Of all logits: root mean square of the difference over that of the logits' spread."""

MIN_AGREEMENT = 0.99
"""Share of equal answers among the images whose first two logits are not nearly equal."""

MAX_8BIT_ERROR = 0.5
"""The same for an 8-bit program against its float program; 0.07 to 0.12 on BNAS-Mini."""

CLEAR_MARGIN = 0.1
"""An answer is clear if its lead over the second is at least this part of the logits' spread."""


@dataclass(frozen=True)
class SelfCheck:
    """How far PyTorch and the packed program agree.

    Attributes:
        images: Number of images.
        source: What they were, `random` or `given`.
        backend: Of the packed program.
        largest_difference: Of any logit.
        largest_logit: Of the original; what a difference is to be seen beside.
        median_difference: Over the images, of their largest differences.
        relative_error: Root mean square of the differences over that of the logits' spread.
        same_answer: Number of images with the same first answer.
        clear: Number of images whose answer is clear (see `CLEAR_MARGIN`).
        clear_same: Number of those with the same answer.
        against: What the packed program was compared with.
    """

    images: int
    source: str
    backend: str
    largest_difference: float
    median_difference: float
    relative_error: float
    same_answer: int
    clear: int
    clear_same: int
    against: str = "PyTorch"
    largest_logit: float = 0.0


def random_pictures(
    count: int,
    crop: tuple[int, int],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    *,
    seed: int = 0,
) -> npt.NDArray[np.float32]:
    """Return images (count, 3, H, W), blotches of colour with noise, normalised like pictures."""
    rng = np.random.default_rng(seed)
    height, width = crop
    coarse = rng.random((count, len(mean), 4, 4), dtype=np.float32)
    rows, cols = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    noise = rng.random((count, len(mean), height, width), dtype=np.float32)
    pixels = 0.75 * coarse[:, :, rows][:, :, :, cols] + 0.25 * noise
    shift, scale = (np.asarray(x, np.float32)[None, :, None, None] for x in (mean, std))
    return ((pixels - shift) / scale).astype(np.float32)


def compare_logits(
    expected: npt.NDArray[np.float32],
    got: npt.NDArray[np.float32],
    *,
    source: str,
    backend: str,
    against: str = "PyTorch",
) -> SelfCheck:
    """Compare logits (N, classes) of PyTorch, or of `against`, with those of a packed program.

    Raises:
        ConversionError: They differ by more than roundings at thresholds can explain.
    """
    check = replace(_measure(expected, got, source, backend), against=against)
    wrong = check.clear - check.clear_same
    # One image more than the share, so that a single image near a tie does not fail a small check.
    allowed = max(1, int((1 - MIN_AGREEMENT) * check.images)) if check.images > 1 else 0
    if not check.relative_error <= MAX_RELATIVE_ERROR or wrong > allowed:
        msg = (
            f"self-check failed on {check.images} {source} images: the packed program ({backend})"
            f" differs from {against} by {check.relative_error:.3g} of the logits' spread (at most"
            f" {MAX_RELATIVE_ERROR} expected) and in {wrong} of {check.clear} clear answers;"
            " nothing was written. This is a bug of the converter or the backend: try"
            " --backend reference, and please report it"
        )
        raise ConversionError(msg)
    return check


def compare_8bit(
    expected: npt.NDArray[np.float32], got: npt.NDArray[np.float32], *, source: str, backend: str
) -> Agreement:
    """Compare logits (N, classes) of a float program with those of its 8-bit version.

    A binary network amplifies small changes, as some signs flip; so answers are what is compared,
    and the limit is one that only a layer gone wrong exceeds.

    Raises:
        ConversionError: The logits have little in common.
    """
    check = _measure(expected, got, source, backend)
    if not check.relative_error <= MAX_8BIT_ERROR:
        msg = (
            f"the 8-bit program differs from the float program by {check.relative_error:.3g} of the"
            f" logits' spread on {check.images} {source} images (at most {MAX_8BIT_ERROR} allowed);"
            " nothing was written. Calibrate on pictures of the kind that the network was trained"
            " on (--calibrate), put fewer layers into 8 bits, or none (--eight-bit none)"
        )
        raise ConversionError(msg)
    return Agreement(
        images=check.images,
        source=source,
        backend=backend,
        same_answer=check.same_answer,
        clear=check.clear,
        clear_same=check.clear_same,
        relative_error=check.relative_error,
    )


def _measure(
    expected: npt.NDArray[np.float32], got: npt.NDArray[np.float32], source: str, backend: str
) -> SelfCheck:
    difference = np.abs(got.astype(np.float64) - expected)
    spread = _rms(expected - expected.mean(axis=1, keepdims=True))
    error = _rms(difference) / spread if spread > 0 else _rms(difference)
    ranked = np.sort(expected, axis=1)
    lead = ranked[:, -1] - ranked[:, -2] if expected.shape[1] > 1 else np.zeros(len(expected))
    clear = lead >= CLEAR_MARGIN * spread
    same = expected.argmax(axis=1) == got.argmax(axis=1)
    return SelfCheck(
        images=len(expected),
        source=source,
        backend=backend,
        largest_difference=float(difference.max()),
        largest_logit=float(np.abs(expected).max()),
        median_difference=float(np.median(difference.max(axis=1))),
        relative_error=float(error),
        same_answer=int(same.sum()),
        clear=int(clear.sum()),
        clear_same=int((clear & same).sum()),
    )


def _rms(x: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
