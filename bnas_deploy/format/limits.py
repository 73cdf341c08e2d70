"""How large a whole program may be, so that no small file fills memory or runs for days.

The limits of single values, windows and numbers are in `validation` and `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bnas_deploy.format.scope import fail
from bnas_deploy.format.steps import Step
from bnas_deploy.format.steps.step import Tensors, Values
from bnas_deploy.format.values import Value

__all__ = ["ELEMENT_LIMIT", "Work", "check_elements"]

ELEMENT_LIMIT = 2**30
WEIGHT_LIMIT = 2**28
POSITION_LIMIT = 2**30
OPERATION_LIMIT = 2**40

VECTOR = 16
"""Elements that a channel takes at least: backends keep channels apart by whole vectors."""


def check_elements(values: Mapping[str, Value]) -> None:
    """Check how much all values of a program hold together.

    Raises:
        FormatError: It is too much.
    """
    total = 0
    for value in values.values():
        channels, height, width = value.shape
        total += channels * -(-height * width // VECTOR) * VECTOR
    if total > ELEMENT_LIMIT:
        fail("values", f"together they may have 2^30 elements, got {total}")


@dataclass
class Work:
    """What the steps so far cost; none of it is allowed to grow with the number of steps alone.

    Attributes:
        weights: Of convolutions and linear layers, counted for each step that uses them; eight
            binary ones of one tap count as one.
        positions: Pixels of outputs times positions of windows.
        operations: Multiplications, additions or comparisons of windows.
    """

    weights: int = 0
    positions: int = 0
    operations: int = 0

    def add(self, where: str, step: Step, values: Values, tensors: Tensors) -> None:
        """Count one more step, whose input and outputs are in `values`.

        Raises:
            FormatError: It is too much.
        """
        count = step.count(values, tensors)
        self.weights += count.weights
        self.positions += count.positions
        self.operations += count.operations
        for what, limit in (
            ("weights", WEIGHT_LIMIT),
            ("positions", POSITION_LIMIT),
            ("operations", OPERATION_LIMIT),
        ):
            if getattr(self, what) > limit:
                power = limit.bit_length() - 1
                fail(where, f"a program may have 2^{power} {what}, up to here it has more")
