"""The binary convolutions of a program and their output stages; the other steps are in `steps`.

`docs/format.md` gives the meaning of every step. Shapes: C channels in, O channels out, W words a
row of weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "AffineStage",
    "BinaryConv2d",
    "BinaryConvolution",
    "BinaryDepthwiseConv2d",
    "BinaryGroupedConv2d",
    "FloatStage",
    "Padding",
    "Pair",
    "ScaleStage",
    "Stage",
    "ThresholdStage",
]

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]  # top, left, bottom, right


@dataclass(frozen=True)
class ThresholdStage:
    """Output stage, dot product to bits: positive iff ``(dot >= threshold[o]) != flip[o]``."""

    KIND: ClassVar[str] = "threshold"
    TENSORS: ClassVar[tuple[str, ...]] = ("threshold", "flip")
    output: str
    threshold: str
    flip: str


@dataclass(frozen=True)
class ScaleStage:
    """Output stage, dot product to float: ``v = act(dot * scale[o])``, maybe added onto a slice.

    With an addend of C' channels, the output is the addend with ``v`` added to channels
    ``at .. at + O - 1``; without, the output is ``v`` and ``at`` is 0.
    """

    KIND: ClassVar[str] = "scale"
    TENSORS: ClassVar[tuple[str, ...]] = ("scale",)
    output: str
    scale: str
    activation: str  # "none" or "relu"
    addend: str | None = None
    at: int = 0


@dataclass(frozen=True)
class AffineStage:
    """Output stage, dot product to float: ``v = act(dot * scale[o] + shift[o])``, two roundings.

    Otherwise as `ScaleStage`.
    """

    KIND: ClassVar[str] = "affine"
    TENSORS: ClassVar[tuple[str, ...]] = ("scale", "shift")
    output: str
    scale: str
    shift: str
    activation: str  # "none" or "relu"
    addend: str | None = None
    at: int = 0


FloatStage = ScaleStage | AffineStage
Stage = ThresholdStage | ScaleStage | AffineStage


@dataclass(frozen=True)
class BinaryConv2d:
    """Binary convolution of bits, weights (O, W) in rows of (ky, kx, c), and its output stages."""

    OP: ClassVar[str] = "binary_conv2d"
    TENSORS: ClassVar[tuple[str, ...]] = ("weight", "fold")
    input: str
    weight: str
    fold: str | None  # int32 (O, kh, kw): constant channels, added for each tap inside
    kernel: Pair
    stride: Pair
    padding: Padding
    dilation: Pair
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class BinaryDepthwiseConv2d:
    """Binary convolution of each channel alone, weights (C, W) in rows of (ky, kx), and stages."""

    OP: ClassVar[str] = "binary_depthwise_conv2d"
    TENSORS: ClassVar[tuple[str, ...]] = ("weight",)
    input: str
    weight: str
    kernel: Pair
    stride: Pair
    padding: Padding
    dilation: Pair
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class BinaryGroupedConv2d:
    """Binary convolution in groups: output o reads the C/groups channels of its group alone.

    Weights (O, W) in rows of (ky, kx, c), c from 0 to C/groups - 1; otherwise as `BinaryConv2d`.
    """

    OP: ClassVar[str] = "binary_grouped_conv2d"
    TENSORS: ClassVar[tuple[str, ...]] = ("weight", "fold")
    input: str
    weight: str
    fold: str | None  # int32 (O, kh, kw)
    groups: int
    kernel: Pair
    stride: Pair
    padding: Padding
    dilation: Pair
    stages: tuple[Stage, ...]


BinaryConvolution = BinaryConv2d | BinaryGroupedConv2d | BinaryDepthwiseConv2d
