"""The layers that an import has found."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BinaryLayer", "FloatLayer"]


@dataclass(frozen=True)
class FloatLayer:
    """A convolution or linear layer that would run in full precision.

    Attributes:
        node: The ONNX node.
        op: Its operator.
        layer: The graph's node.
        reason: Why it is not binary.
        weights: Their number; 0 for what the model has no weights for, such as a pool.
    """

    node: str
    op: str
    layer: str
    reason: str
    weights: int = 0


@dataclass(frozen=True)
class BinaryLayer:
    """A convolution or linear layer that is binary.

    Attributes:
        node: The model's node.
        op: Its operator.
        value: The graph's value that it made first; a scale may have taken its place.
        weights: Their number.
    """

    node: str
    op: str
    value: str
    weights: int
