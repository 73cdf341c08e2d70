"""What to put into 8 bits, and what that did, as plain facts for reports."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import UsageError

__all__ = [
    "KINDS",
    "Agreement",
    "EightBit",
    "EightBitLayer",
    "EightBitOptions",
    "FloatLayer",
    "check_kinds",
]

KINDS = ("shortcut", "stem", "classifier")
"""`stem`: a convolution behind the image or other stem layers. `shortcut`: any other convolution.
`classifier`: a linear layer."""


@dataclass(frozen=True)
class EightBitOptions:
    """What to put into 8 bits, and how; the arguments of `quantize.quantize`.

    Attributes:
        kinds: Kinds of layers, of `KINDS`.
        images: float32 (N, C, H, W), preprocessed, to calibrate on; None makes synthetic ones.
        backend: That runs the float program for it; None for the best.
        threads: Of that.
    """

    kinds: tuple[str, ...] = ("shortcut",)
    images: npt.NDArray[np.float32] | None = None
    backend: str | None = None
    threads: int = 1


@dataclass(frozen=True)
class EightBitLayer:
    """A layer that runs in 8 bits now.

    Attributes:
        layer: Its name.
        kind: One of `KINDS`.
        bytes_before: Of its float parameters.
        bytes_after: Of its tensors.
    """

    layer: str
    kind: str
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True)
class FloatLayer:
    """A layer that could run in 8 bits and does not.

    Attributes:
        layer: Its name.
        kind: One of `KINDS`.
        reason: Why not.
    """

    layer: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Agreement:
    """How far the 8-bit program agrees with the float program that it was made from.

    Attributes:
        images: Number of images.
        source: What they were, `random` or `given`.
        backend: Of the 8-bit program.
        same_answer: Number of images with the same first answer.
        clear: Number of images whose answer is clear (see `packing.compare.CLEAR_MARGIN`).
        clear_same: Number of those with the same answer.
        relative_error: Root mean square of the differences over that of the logits' spread.
    """

    images: int
    source: str
    backend: str
    same_answer: int
    clear: int
    clear_same: int
    relative_error: float


@dataclass(frozen=True)
class EightBit:
    """What was put into 8 bits.

    Attributes:
        kinds: What was asked for.
        layers: What runs in 8 bits.
        float_layers: What does not, and why.
        calibration: Where the pictures came from that the ranges were measured on, `given` or
            `synthetic`; None if no layer needed any, as the model states the ranges.
        calibration_images: Their number.
        agreement: With the float program; None if it was not run.
    """

    kinds: tuple[str, ...]
    layers: tuple[EightBitLayer, ...]
    float_layers: tuple[FloatLayer, ...]
    calibration: str | None
    calibration_images: int
    agreement: Agreement | None = None


def check_kinds(kinds: Collection[str]) -> tuple[str, ...]:
    """Return kinds of layers in the order of `KINDS`, each once.

    Raises:
        UsageError: One is unknown.
    """
    unknown = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind not in KINDS]
    if unknown:
        got = ", ".join(map(repr, unknown))
        msg = f"layers in 8 bits: expected a list of some of {', '.join(KINDS)}; got {got}"
        raise UsageError(msg)
    return tuple(kind for kind in KINDS if kind in kinds)
