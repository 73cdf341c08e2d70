"""What a value of a graph is, what a convolution's outputs are, and how misfits are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bnas_deploy.errors import ConversionError

if TYPE_CHECKING:
    from bnas_deploy.converters.graph.nodes import Node

__all__ = ["BITS", "F32", "Shape", "Stage", "Value", "added", "require"]

Shape = tuple[int, int, int]
F32 = "f32"
BITS = "bits"


@dataclass(frozen=True)
class Value:
    """Kind (`F32` or `BITS`, which stands for signs) and shape (C, H, W) of a value."""

    kind: str
    shape: Shape


@dataclass(frozen=True)
class Stage:
    """One output of a `packed_conv`; its constants are named ``<output>.threshold`` and the like.

    Attributes:
        kind: `threshold` (constants threshold and flip, bits out), `scale` (constant scale) or
            `affine` (constants scale and shift).
        activation: `none` or `relu`, of a scale or affine stage.
        addend: Which input of the node is added to (a number from 1), or None.
        at: First channel of the addend that takes part.
    """

    kind: str
    activation: str = "none"
    addend: int | None = None
    at: int = 0


def require(node: Node, holds: bool, what: str) -> None:
    """Refuse a node of which something does not hold.

    Raises:
        ConversionError: With what it needs.
    """
    if not holds:
        msg = f"{node.name}: {node.op} needs {what} ({node})"
        raise ConversionError(msg)


def added(node: Node, base: Value, addend: Value, at: int) -> Value:
    """Return the value with another one added to its channels from `at` on."""
    fits = base.shape[1:] == addend.shape[1:] and 0 <= at <= base.shape[0] - addend.shape[0]
    require(node, fits, f"{addend.shape} to fit into {base.shape} at {at}")
    return base
