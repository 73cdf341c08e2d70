"""What a user's model has: its layers of weights, and what a conversion must warn of."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModelLayer", "Warned"]


@dataclass(frozen=True)
class ModelLayer:
    """A convolution or linear layer of the user's model, as it came into the graph.

    Attributes:
        name: That the user's model has for it.
        op: What the user's model calls such layers.
        node: The graph's node that computes it in full precision; empty for a binary layer.
        weights: Their number.
        reason: Why it is not binary; empty if it is.
    """

    name: str
    op: str
    node: str
    weights: int
    reason: str = ""


@dataclass(frozen=True)
class Warned:
    """Something about a conversion that its user must know, though a file was written.

    Attributes:
        code: For programs; it does not change.
        text: What is the matter, and what to do.
    """

    code: str
    text: str
