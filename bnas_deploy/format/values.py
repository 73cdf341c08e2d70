"""What an intermediate result of a program is: its kind and shape."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Assigned", "Shape", "Value", "bits", "floats"]

Shape = tuple[int, int, int]
"""(C, H, W)."""


@dataclass(frozen=True)
class Value:
    """One intermediate result of a program, for one image.

    Attributes:
        kind: ``"f32"`` (float32) or ``"bits"`` (one bit per channel and pixel).
        shape: (C, H, W).
    """

    kind: str
    shape: tuple[int, int, int]


Assigned = list[tuple[str, Value]]
"""Values that a step assigns, by name."""


def floats(name: str, shape: Shape) -> tuple[str, Value]:
    """A float value by its name."""
    return name, Value("f32", shape)


def bits(name: str, shape: Shape) -> tuple[str, Value]:
    """A value of signs by its name."""
    return name, Value("bits", shape)
