"""The stems of networks for small images: the one layer between the picture and the first cell."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STEM_LAYERS", "StemLayer"]


@dataclass(frozen=True)
class StemLayer:
    """BatchNorm, a full-precision convolution without bias, ReLU.

    Attributes:
        kernel: Height and width of the window.
        stride: By how much it reduces the resolution.
        padding: Pixels on each side.
        multiple: Output channels, in channels C of a node.
    """

    kernel: int
    stride: int
    padding: int
    multiple: int


STEM_LAYERS: dict[str, StemLayer] = {
    "paper": StemLayer(3, 1, 1, 3),
    "narrow": StemLayer(3, 1, 1, 1),
    "patches": StemLayer(2, 2, 0, 3),
    "overlapping": StemLayer(4, 2, 1, 3),
}
"""By name. `patches` is space-to-depth of 2x2 pixels and a 1x1 convolution, in one; `overlapping`
sees a pixel more on every side. Both leave a quarter of the pixels to the cells."""
