"""One full-precision layer in 8 bits: ranges, scales, integer weights.

Shapes: M samples, C channels in, O out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["InputSteps", "OverflowingSums", "choose_steps", "quantize_weights"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

LARGEST = 127  # of an input and of a weight's magnitude
SUM_LIMIT = 2**31
BIAS_LIMIT = 2**24  # units of the integer sum that a bias may take
CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
"""Parts of a channel's range that are tried; what lies beyond is clipped."""


class OverflowingSums(Exception):
    """The integer sums of a layer could exceed 32 bits."""


@dataclass(frozen=True)
class InputSteps:
    """How a layer's input becomes the integers 0 to 127: round(x * scale + zero).

    Attributes:
        scale: (C,), steps a unit; 0 for a channel that never changes from 0.
        zero: (C,), whole numbers 0 to 127: the step of an input of 0, which is therefore exact.
    """

    scale: Floats
    zero: Floats

    def apply(self, x: Floats) -> Doubles:
        """Quantise samples (M, C), as docs/format.md does but for the last bit of a rounding."""
        t = x.astype(np.float64) * self.scale + self.zero
        return np.asarray(np.rint(np.clip(t, 0, LARGEST)))


def choose_steps(samples: Floats, low: Floats, high: Floats) -> InputSteps:
    """Find for each channel the range whose steps leave the least mean squared error.

    Args:
        samples: (M, C), inputs of the layer.
        low: (C,), the least input seen; may be below all samples.
        high: (C,), the largest.
    """
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    best, least = _steps(low, high), np.full(len(low), np.inf)
    scale, zero = best.scale.copy(), best.zero.copy()
    for clip in CLIPS:
        steps = _steps(clip * low, clip * high)
        error = _mean_squared_error(samples, steps)
        better = error < least
        scale[better], zero[better], least[better] = (
            steps.scale[better], steps.zero[better], error[better],
        )  # fmt: skip
    return InputSteps(scale, zero)


def _steps(low: npt.NDArray[np.floating], high: npt.NDArray[np.floating]) -> InputSteps:
    span = high.astype(np.float64) - low
    with np.errstate(all="ignore"):
        scale = np.where(span > 0, LARGEST / span, 0).astype(np.float32)
    # A range too narrow or too wide for a float32 scale is as good as one that never changes.
    scale = np.where(np.isfinite(scale), scale, np.float32(0))
    return InputSteps(scale, np.rint(-low * scale.astype(np.float64)).astype(np.float32))


def _mean_squared_error(samples: Floats, steps: InputSteps) -> Doubles:
    live = steps.scale > 0
    unit = 1 / np.where(live, steps.scale, 1).astype(np.float64)
    back = np.where(live, (steps.apply(samples) - steps.zero) * unit, 0)
    return np.asarray(np.mean(np.square(back - samples), axis=0))


def quantize_weights(
    weight: Floats, bias: Floats | None, steps: InputSteps
) -> dict[str, npt.NDArray[np.generic]]:
    """The tensors of a `quantized_conv2d` by field.

    A weight and the step of its input are one factor, so the integers stand for
    ``weight / input scale``, with one scale for each output: the largest magnitude is 127.

    Args:
        weight: (O, C, kh, kw).
        bias: (O,) or None.
        steps: Of the input.

    Raises:
        OverflowingSums: The sums could exceed 32 bits.
    """
    live = steps.scale > 0
    unit = np.where(live, 1 / np.where(live, steps.scale, 1).astype(np.float64), 0)
    real = weight.astype(np.float64) * unit[:, None, None]  # (O, C, kh, kw)
    bias64 = np.zeros(len(weight)) if bias is None else bias.astype(np.float64)
    scale = _output_scale(real, bias64)
    integers = np.rint(real / scale[:, None, None, None])
    integers = np.clip(integers, -LARGEST, LARGEST)
    zeros = integers.sum(axis=(2, 3)) @ steps.zero.astype(np.float64)
    offset = np.rint(bias64 / scale - zeros)
    if np.max(np.abs(offset) + LARGEST * np.abs(integers).sum(axis=(1, 2, 3))) >= SUM_LIMIT:
        raise OverflowingSums
    return {
        "weight": integers.astype(np.int8),
        "offset": offset.astype(np.int32),
        "scale": scale.astype(np.float32),
        "input_scale": steps.scale,
        "input_zero": steps.zero,
    }


def _output_scale(real: Doubles, bias: Doubles) -> Doubles:
    """(O,): what one unit of the integer sum is worth, as float32 holds it."""
    largest = np.abs(real).max(axis=(1, 2, 3))
    # Where the weights are next to nothing, the bias sets the scale: its integer would overflow.
    scale = np.maximum(largest / LARGEST, np.abs(bias) / BIAS_LIMIT)
    scale = scale.astype(np.float32).astype(np.float64)
    return np.where(scale > 0, scale, 1.0)
