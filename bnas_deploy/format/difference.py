"""How far two arrays of one shape are apart, to the bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Difference", "compare_arrays", "differs"]


@dataclass(frozen=True)
class Difference:
    """The difference of two arrays.

    Attributes:
        elements: How many there are; bits where the array is packed.
        differing: How many are not the same. +0 and -0 differ; NaN equals any NaN.
        largest_absolute: Largest ``|a - b|``, or None where the elements are bits.
        largest_relative: Largest ``|a - b| / max(|a|, |b|)``, or None as well.
    """

    elements: int
    differing: int
    largest_absolute: float | None
    largest_relative: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, which has no infinity: that is the text ``inf``."""
        return {
            "elements": self.elements,
            "differing": self.differing,
            "largest_absolute": _finite(self.largest_absolute),
            "largest_relative": _finite(self.largest_relative),
        }


def compare_arrays(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Difference:
    """Compare two arrays of the same shape and dtype.

    Args:
        a: bool, int32, float32, or uint64 (taken as packed bits).
        b: Likewise.
    """
    if a.dtype.kind == "u":
        words = (a ^ b).reshape(-1)
        differing = np.unpackbits(words[words != 0].view(np.uint8)).sum()
        return Difference(a.nbytes * 8, int(differing), None, None)
    different = differs(a, b)
    count = int(np.count_nonzero(different))
    if a.dtype == np.bool_:
        return Difference(a.size, count, None, None)
    if count == 0:
        return Difference(a.size, 0, 0.0, 0.0)
    return Difference(a.size, count, *_largest(a[different], b[different]))


def differs(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where two arrays of one shape and dtype are not the same to the bit; NaN equals any NaN."""
    result: npt.NDArray[np.bool_]
    if a.dtype.kind != "f":
        result = a != b
    else:
        result = a.view(f"i{a.itemsize}") != b.view(f"i{b.itemsize}")
        result &= ~(np.isnan(a) & np.isnan(b))
    return result


def _largest(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> tuple[float, float]:
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        absolute = np.abs(a - b)
        relative = absolute / np.maximum(np.abs(a), np.abs(b))
    # NaN against a number, and infinity against anything, is as far apart as can be; +0 and -0
    # are not apart at all.
    finite = np.isfinite(a) & np.isfinite(b)
    absolute[~finite] = relative[~finite] = np.inf
    relative[absolute == 0] = 0.0
    return float(absolute.max()), float(relative.max())


def _finite(x: float | None) -> float | str | None:
    return "inf" if x is not None and np.isinf(x) else x
