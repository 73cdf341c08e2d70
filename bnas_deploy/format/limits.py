"""How large a whole program may be, so that no small file fills memory or runs for days.

The limits of single values, windows and numbers are in `validation` and `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bnas_deploy.format.scope import fail

if TYPE_CHECKING:
    from bnas_deploy.format.steps import Step
    from bnas_deploy.format.steps.step import Tensors, Values
    from bnas_deploy.format.values import Value

__all__ = ["ELEMENT_LIMIT", "LIMITS", "Work", "check_elements", "check_steps", "held"]

STEP_LIMIT = 2**16
ELEMENT_LIMIT = 2**30
ELEMENT_WORK = 256
"""Of an element that a step reads or writes; what is done with it is part of it."""

LIMITS = {
    "uses": 2**17,
    "weights": 2**28,
    "terms": 2**24,
    "positions": 2**28,
    "work": 2**40,
}
"""Of a program, by what is counted: fields of `Work`."""
NAMES = {"uses": "uses of values", "work": "units of work"}

VECTOR = 16
"""Elements that a channel takes at least: backends keep channels apart by whole vectors."""


def held(value: Value) -> int:
    """Elements of a value, each channel filled up to whole vectors."""
    channels, height, width = value.shape
    return channels * -(-height * width // VECTOR) * VECTOR


def check_elements(values: Mapping[str, Value]) -> None:
    """Check how much all values of a program hold together.

    Raises:
        FormatError: It is too much.
    """
    total = sum(map(held, values.values()))
    if total > ELEMENT_LIMIT:
        fail("values", f"together they may have 2^30 elements, got {total}")


def check_steps(count: int) -> None:
    """Check how many steps a program has; before they are read, too.

    Raises:
        FormatError: Too many.
    """
    if count > STEP_LIMIT:
        fail("steps", f"at most {STEP_LIMIT} are allowed, got {count}")


@dataclass
class Work:
    """What the steps so far cost, for one image.

    Attributes:
        uses: Values that steps and their stages read or assign, counted each time.
        weights: Of convolutions and linear layers, counted for each step that uses them; eight
            binary ones of one tap count as one.
        terms: Channels of inputs times positions of windows.
        positions: Pixels of outputs times positions of windows.
        work: Sums, comparisons, and elements read and written, each by what it costs.
    """

    uses: int = 0
    weights: int = 0
    terms: int = 0
    positions: int = 0
    work: int = 0

    def add(self, where: str, step: Step, values: Values, tensors: Tensors) -> None:
        """Count one more step, whose input and outputs are in `values`.

        Raises:
            FormatError: It is too much.
        """
        count = step.count(values, tensors)
        used = (*step.reads(), *step.writes())
        self.uses += len(used)
        self.weights += count.weights
        self.terms += count.terms
        self.positions += count.positions
        self.work += count.work + sum(held(values[name]) for name in used) * ELEMENT_WORK
        for what, limit in LIMITS.items():
            if getattr(self, what) > limit:
                power = limit.bit_length() - 1
                name = NAMES.get(what, what)
                fail(where, f"a program may have 2^{power} {name}, up to here it has more")
