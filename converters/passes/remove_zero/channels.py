"""What `remove_zero` knows of a value: which channels vary, and what the others are.

A channel is *live* if it may vary with the image, else it has one known number for every image and
pixel. Only live channels are kept in the new graph, in their old order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Node

__all__ = ["Channels", "Rebuilt"]


@dataclass(frozen=True)
class Channels:
    """One value of the old graph.

    Attributes:
        name: The value of the new graph that holds the live channels; None if there are none.
        live: Old indices of the channels it holds, ascending.
        known: (C,) the number of every other channel; NaN for live ones.
        size: (H, W).
    """

    name: str | None
    live: Array
    known: Array
    size: tuple[int, int]

    @classmethod
    def all_live(
        cls, name: str, shape: tuple[int, int, int], dtype: np.dtype[np.floating]
    ) -> Channels:
        """A value of which nothing is known."""
        return cls(name, np.arange(shape[0]), np.full(shape[0], np.nan, dtype), shape[1:])

    @classmethod
    def all_known(cls, known: Array, size: tuple[int, int]) -> Channels:
        """A value that is the same for every image."""
        return cls(None, np.arange(0), known, size)

    @property
    def count(self) -> int:
        """C."""
        return len(self.known)

    @property
    def dead(self) -> Array:
        """Whether each channel is known, (C,)."""
        return ~np.isnan(self.known)

    def renamed(
        self, name: str | None, known: Array, size: tuple[int, int] | None = None
    ) -> Channels:
        """The same channels of another value; `known` need be right for dead channels only."""
        known = np.where(self.dead, known, np.nan).astype(self.known.dtype)
        return replace(
            self, name=name if len(self.live) else None, known=known, size=size or self.size
        )


class Rebuilt:
    """The new graph while it is made.

    Attributes:
        nodes: So far.
        values: What is known of each value of the old graph.
        dtype: Of the graph's floats.
    """

    def __init__(self, dtype: np.dtype[np.floating]) -> None:
        self.nodes: list[Node] = []
        self.values: dict[str, Channels] = {}
        self.dtype = dtype

    def emit(self, node: Node) -> str:
        """Append a node and return its value."""
        self.nodes.append(node)
        return node.output

    def laid_out(self, x: Channels, wanted: Array, name: str) -> str:
        """Return a value that has exactly the old channels `wanted` of x, dead ones filled in.

        Args:
            x: The value.
            wanted: Old indices, at least one.
            name: Prefix for the nodes that may be needed.
        """
        if x.name is None:
            zero = Node(
                "zero", f"{name}.zero", (), (f"{name}.zero",), {"shape": (len(wanted), *x.size)}
            )
            value = self.emit(zero)
        elif np.array_equal(wanted, x.live):
            value = x.name
        else:
            where = np.full(x.count, -1)
            where[x.live] = np.arange(len(x.live))
            constants = {"index": where[wanted].astype(np.int32)}
            select = Node(
                "select_channels", f"{name}.select", (x.name,), (f"{name}.select",), {}, constants
            )
            value = self.emit(select)
        shift = np.nan_to_num(x.known[wanted]).astype(self.dtype)
        if not shift.any():
            return value
        constants = {"scale": np.ones_like(shift), "shift": shift}
        return self.emit(Node("affine", f"{name}.fill", (value,), (f"{name}.fill",), {}, constants))

    def whole(self, value: str, name: str) -> str:
        """Return a value with every channel of an old value."""
        x = self.values[value]
        return self.laid_out(x, np.arange(x.count), name)
