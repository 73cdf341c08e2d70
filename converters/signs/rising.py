"""Values that rise with another one, so that comparing either is the same.

A clip, a sigmoid, a scale and any other rising function in front of a sign, a compare or a rounding
only moves the threshold. Functions that no step computes are known here too: a layer that reads
their sign needs no more of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bnas_deploy.converters.graph.nodes import Array, Node
from bnas_deploy.converters.graph.numerics import batch_norm_terms

__all__ = ["Chain", "Rising", "chain_of", "inverted"]

Function = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Rising:
    """One step from a value to another.

    Attributes:
        source: The graph value that it rises with.
        function: What it is of that, (C,) to (C,), infinities among them.
        inverse: Which number of the source becomes one strictly between the ends of the function.
        falls: (C,) whether it falls instead; None where it rises in every channel.
    """

    source: str
    function: Function
    inverse: Function
    falls: Array | None = None


@dataclass(frozen=True, eq=False)
class Chain:
    """A value that rises with a source through several steps.

    Attributes:
        source: A graph value.
        low: (C,) the least that the value can be.
        high: (C,) the greatest.
        direction: (C,) 1 where it rises with the source, -1 where it falls.
        inverse: Which number of the source becomes one strictly between `low` and `high`.
    """

    source: str
    low: Array
    high: Array
    direction: Array
    inverse: Function

    def holds(self, bound: Array) -> bool:
        """Whether the value lies on both sides of numbers (C,), and rises there."""
        return bool(((self.low < bound) & (bound < self.high)).all())


LONGEST = 16
"""Steps of a chain."""


def chain_of(
    value: str,
    channels: int,
    producer: Callable[[str], Node | None],
    known: dict[str, Rising],
) -> Chain | None:
    """Return how a value rises with what it was computed from; None where it does not.

    Args:
        value: A graph value.
        channels: Of it.
        producer: From a graph value to its node.
        known: Functions that are not seen in the graph.
    """
    steps: list[Rising] = []
    used = 0
    while len(steps) < LONGEST:
        step = known.get(value) or _step(producer(value))
        if step is None:
            break
        steps.append(step)
        value = step.source
        node = producer(value)
        if step.falls is None:  # scales and shifts alone are better left to the passes
            used = len(steps)
        if node is None:
            break
    steps = steps[:used]
    if not steps:
        return None
    ends = np.stack([np.full(channels, -np.inf), np.full(channels, np.inf)])
    direction = np.ones(channels)
    for step in reversed(steps):
        ends = np.stack([step.function(end) for end in ends])
        direction = direction if step.falls is None else np.where(step.falls, -direction, direction)

    def inverse(number: Array) -> Array:
        for step in steps:
            number = step.inverse(number)
        return number

    return Chain(steps[-1].source, ends.min(axis=0), ends.max(axis=0), direction, inverse)


def inverted(function: Function) -> Function:
    """Return the inverse of a function that rises and is 0 at 0 or has no simple inverse."""

    def inverse(number: Array) -> Array:
        low, high = np.full(number.shape, -LARGE), np.full(number.shape, LARGE)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            with np.errstate(all="ignore"):
                found = function(middle)
            low = np.where(found <= number, middle, low)
            high = np.where(found >= number, middle, high)
        return np.asarray((low + high) / 2)

    return inverse


LARGE = 2.0**64
"""No threshold is sought beyond it."""

HALVINGS = 128
"""To 2^-64."""


def _step(node: Node | None) -> Rising | None:
    make = None if node is None else _STEPS.get(node.op)
    return None if make is None or node is None else make(node)


def _clip(node: Node) -> Rising:
    low, high = (node.constants[key].astype(np.float64) for key in ("low", "high"))
    return Rising(node.inputs[0], lambda x: np.clip(x, low, high), lambda y: y)


def _relu(node: Node) -> Rising:
    return Rising(node.inputs[0], lambda x: np.maximum(x, 0), lambda y: y)


def _prelu(node: Node) -> Rising | None:
    slope = node.constants["slope"].astype(np.float64)
    if (slope <= 0).any():
        return None

    def inverse(y: Array) -> Array:
        return np.where(y > 0, y, y / slope)

    return Rising(node.inputs[0], lambda x: np.where(x > 0, x, x * slope), inverse)


def _sigmoid(node: Node) -> Rising:
    def inverse(y: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(y / (1 - y)))

    return Rising(node.inputs[0], lambda x: 0.5 * (1 + np.tanh(x / 2)), inverse)


def _hard_sigmoid(node: Node) -> Rising | None:
    slope, middle = node.constants["terms"].astype(np.float64)
    if slope <= 0:
        return None
    return Rising(
        node.inputs[0],
        lambda x: np.clip(x * slope + middle, 0, 1),
        lambda y: (y - middle) / slope,
    )


def _batch_norm(node: Node) -> Rising | None:
    terms = batch_norm_terms(**node.constants, eps=node.attributes["eps"])
    scale, shift = (term.astype(np.float64) for term in terms)
    if not scale.all():
        return None
    return Rising(
        node.inputs[0], lambda x: x * scale + shift, lambda y: (y - shift) / scale, scale < 0
    )


_STEPS: dict[str, Callable[[Node], Rising | None]] = {
    "batch_norm": _batch_norm,
    "clip": _clip,
    "hard_sigmoid": _hard_sigmoid,
    "prelu": _prelu,
    "relu": _relu,
    "sigmoid": _sigmoid,
}
