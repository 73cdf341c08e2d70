"""Strides, dilations and padding of convolutions and pools, as attributes of standard operators."""

from __future__ import annotations

from typing import Any

import tflite

from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["pads_around", "window"]

_AUTOMATIC = {tflite.Padding.SAME: "SAME_UPPER", tflite.Padding.VALID: "VALID"}


def window(
    stride: tuple[int, int], padding: int, dilation: tuple[int, int] = (1, 1)
) -> dict[str, Any]:
    """Return the attributes of a window.

    Raises:
        CannotConvert: The padding is neither SAME nor VALID.
    """
    if padding not in _AUTOMATIC:
        msg = f"the padding {padding}"
        raise CannotConvert(msg, "SAME (0) and VALID (1) are understood")
    return {"strides": stride, "dilations": dilation, "auto_pad": _AUTOMATIC[padding]}


def pads_around(
    size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, int],
    dilation: tuple[int, int],
) -> list[int]:  # fmt: skip
    """Return what SAME puts around (N, C, H, W), as an operator Pad takes it."""
    before, after = [0, 0], [0, 0]
    for extent, taps, step, apart in zip(size, kernel, stride, dilation, strict=True):
        reach = (taps - 1) * apart + 1
        missing = max(0, (-(-extent // step) - 1) * step + reach - extent)
        before.append(missing // 2)
        after.append(missing - missing // 2)
    return before + after
