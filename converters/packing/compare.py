"""Compares the logits of PyTorch and of the packed engine.

They are not equal to the bit: PyTorch sums convolutions in its own order, and where a float lies
within rounding of a threshold, one sign differs and everything behind it moves a little. A wrong
conversion moves everything a lot. So two limits are set, both far from either. On pictures made
to break things (`inputs`) right programs differ by roundings alone, and the limit is lower; what
exceeds it is looked into (`verdict`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.eight_bit.facts import Agreement
from bnas_deploy.errors import ConversionError

__all__ = [
    "MAX_8BIT_ERROR",
    "MAX_RELATIVE_ERROR",
    "MAX_STRUCTURED_ERROR",
    "KindCheck",
    "SelfCheck",
    "compare_8bit",
    "compare_logits",
    "excess",
    "measure",
    "relative_error",
    "spread_of",
]

MAX_RELATIVE_ERROR = 0.1
"""Of all logits: root mean square of the difference over that of the logits' spread."""

MAX_STRUCTURED_ERROR = 0.01
"""The same for inputs that are made to break things; 5e-7 on BNAS-Mini, and with a wrong Sign(0)
in a small network 0.3 to 1.7."""

MIN_AGREEMENT = 0.99
"""Share of equal answers among the images whose first two logits are not nearly equal."""

MAX_8BIT_ERROR = 0.5
"""The same for an 8-bit program against its float program; 0.07 to 0.12 on BNAS-Mini."""

CLEAR_MARGIN = 0.1
"""An answer is clear if its lead over the second is at least this part of the logits' spread."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class KindCheck:
    """How far the two agree on one kind of inputs.

    Attributes:
        kind: Its name, such as `black`.
        images: Their number, without those for which the original has no finite logits.
        relative_error: As in `SelfCheck`; of the spread on ordinary inputs where it is larger.
        same_answer: Number of images with the same first answer.
        why: Why they differ by more than the limit, `roundings` or `sign-zero`; empty if they
            do not.
        layer: Where they part first, for `sign-zero`.
    """

    kind: str
    images: int
    relative_error: float
    same_answer: int
    why: str = ""
    layer: str = ""


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
        kinds: The same for other kinds of inputs, which are not counted above.
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
    kinds: tuple[KindCheck, ...] = ()


def compare_logits(
    expected: Floats, got: Floats, *, source: str, backend: str, against: str = "PyTorch"
) -> SelfCheck:
    """Compare logits (N, classes) of PyTorch, or of `against`, with those of a packed program.

    Raises:
        ConversionError: They differ by more than roundings at thresholds can explain.
    """
    check = replace(measure(expected, got, source, backend), against=against)
    too_much = excess(check)
    if too_much:
        msg = (
            f"self-check failed on {check.images} {source} images: the packed program ({backend})"
            f" {too_much}; nothing was written. This is a bug of the converter or the backend: try"
            " --backend reference, and please report it"
        )
        raise ConversionError(msg)
    return check


def excess(check: SelfCheck, limit: float = MAX_RELATIVE_ERROR) -> str:
    """By how much logits differ, in words, if it is more than right programs do; else nothing."""
    wrong = check.clear - check.clear_same
    # One image more than the share, so that a single image near a tie does not fail a small check.
    allowed = max(1, int((1 - MIN_AGREEMENT) * check.images)) if check.images > 1 else 0
    if check.relative_error <= limit and wrong <= allowed:
        return ""
    return (
        f"differs from {check.against} by {check.relative_error:.3g} of the logits' spread (at most"
        f" {limit} expected) and in {wrong} of {check.clear} clear answers"
    )


def compare_8bit(expected: Floats, got: Floats, *, source: str, backend: str) -> Agreement:
    """Compare logits (N, classes) of a float program with those of its 8-bit version.

    A binary network amplifies small changes, as some signs flip; so answers are what is compared,
    and the limit is one that only a layer gone wrong exceeds.

    Raises:
        ConversionError: The logits have little in common.
    """
    check = measure(expected, got, source, backend)
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


def measure(
    expected: Floats, got: Floats, source: str, backend: str, *, least_spread: float = 0.0
) -> SelfCheck:
    """Compare logits (N, classes) without judging.

    Args:
        expected: Of the original.
        got: Of the packed program.
        source: What the images were.
        backend: Of the packed program.
        least_spread: What the error is a part of where the logits' own spread is less, as on a
            black picture, for which they may all be equal.
    """
    difference = np.abs(got.astype(np.float64) - expected)
    spread = max(spread_of(expected), least_spread)
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
        relative_error=relative_error(expected, got, spread),
        same_answer=int(same.sum()),
        clear=int(clear.sum()),
        clear_same=int((clear & same).sum()),
    )


def relative_error(expected: Floats, got: Floats, spread: float) -> float:
    """Root mean square of the difference over the spread; absolute where that is 0."""
    difference = _rms(got.astype(np.float64) - expected)
    return difference / spread if spread > 0 else difference


def spread_of(logits: Floats) -> float:
    """Of logits (N, classes): over the classes of an image, or over the images for one class."""
    axis = 1 if logits.shape[1] > 1 else 0
    return _rms(logits - logits.mean(axis=axis, keepdims=True))


def _rms(x: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
