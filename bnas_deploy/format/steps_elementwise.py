"""The steps that look at one element at a time, and constants; the other steps are in `steps`.

`docs/format.md` gives the meaning of every step. Shapes: C channels, H W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

__all__ = ["Affine", "Clip", "Constant", "Multiply", "Prelu", "Relu", "Sigmoid"]


@dataclass(frozen=True)
class Affine:
    """``y = x * scale[c] + shift[c]``, two roundings (an unfolded BatchNorm)."""

    OP: ClassVar[str] = "affine"
    TENSORS: ClassVar[tuple[str, ...]] = ("scale", "shift")
    input: str
    output: str
    scale: str
    shift: str


@dataclass(frozen=True)
class Relu:
    """``y = x if x > 0 else +0``."""

    OP: ClassVar[str] = "relu"
    TENSORS: ClassVar[tuple[str, ...]] = ()
    input: str
    output: str


@dataclass(frozen=True)
class Prelu:
    """``y = fl(max(x, 0) + fl(slope[c] * min(x, 0)))``; NaN counts as 0 (PReLU, leaky ReLU)."""

    OP: ClassVar[str] = "prelu"
    TENSORS: ClassVar[tuple[str, ...]] = ("slope",)
    input: str
    output: str
    slope: str


@dataclass(frozen=True)
class Clip:
    """``y = min(max(x, low[c]), high[c])``, NaN gives low; bounds may be infinite (HardTanh)."""

    OP: ClassVar[str] = "clip"
    TENSORS: ClassVar[tuple[str, ...]] = ("low", "high")
    input: str
    output: str
    low: str
    high: str


@dataclass(frozen=True)
class Sigmoid:
    """``1 / (1 + exp(-x))`` by the operations that docs/format.md lists, to within 1.7e-7."""

    OP: ClassVar[str] = "sigmoid"
    TENSORS: ClassVar[tuple[str, ...]] = ()
    input: str
    output: str


@dataclass(frozen=True)
class Multiply:
    """``y = x * factor``, the factor a value of C channels or one, and H x W pixels or one."""

    OP: ClassVar[str] = "multiply"
    TENSORS: ClassVar[tuple[str, ...]] = ()
    input: str
    factor: str
    output: str


@dataclass(frozen=True)
class Constant:
    """A value that is the same for every image: a tensor (C, H, W)."""

    OP: ClassVar[str] = "constant"
    TENSORS: ClassVar[tuple[str, ...]] = ("value",)
    output: str
    value: str
