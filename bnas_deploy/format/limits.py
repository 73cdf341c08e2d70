"""How large a whole program may be, so that no small file fills memory or runs for days.

The limits of single values, windows and numbers are in `validate` and `shapes`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from bnas_deploy.format.program import Value, step_outputs
from bnas_deploy.format.scope import fail
from bnas_deploy.format.steps import (
    BinaryConv2d,
    BinaryDepthwiseConv2d,
    BinaryGroupedConv2d,
    Conv2d,
    GroupedConv2d,
    Linear,
    QuantizedConv2d,
    Step,
    Windowed,
)

__all__ = ["ELEMENT_LIMIT", "Work", "check_elements"]

ELEMENT_LIMIT = 2**30
WEIGHT_LIMIT = 2**28
POSITION_LIMIT = 2**30
OPERATION_LIMIT = 2**40

VECTOR = 16
"""Elements that a channel takes at least: backends keep channels apart by whole vectors."""
BYTE = 8


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

    def add(
        self,
        where: str,
        step: Step,
        values: Mapping[str, Value],
        tensors: Mapping[str, npt.NDArray[Any]],
    ) -> None:
        """Count one more step, whose input and outputs are in `values`.

        Raises:
            FormatError: It is too much.
        """
        if isinstance(step, Linear):
            self.weights += tensors[step.weight].size
        elif isinstance(step, Windowed):
            self._add_windows(step, values, tensors)
        for what, limit in (
            ("weights", WEIGHT_LIMIT),
            ("positions", POSITION_LIMIT),
            ("operations", OPERATION_LIMIT),
        ):
            if getattr(self, what) > limit:
                power = limit.bit_length() - 1
                fail(where, f"a program may have 2^{power} {what}, up to here it has more")

    def _add_windows(
        self,
        step: Windowed,
        values: Mapping[str, Value],
        tensors: Mapping[str, npt.NDArray[Any]],
    ) -> None:
        channels, depth = values[step.input].shape[0], 1
        if isinstance(step, (Conv2d, GroupedConv2d, QuantizedConv2d)):
            outputs, depth, *kernel = tensors[step.weight].shape
            self.weights += tensors[step.weight].size
        elif isinstance(step, (BinaryConv2d, BinaryGroupedConv2d)):
            depth = channels // (step.groups if isinstance(step, BinaryGroupedConv2d) else 1)
            outputs, kernel = len(tensors[step.weight]), [*step.kernel]
            self.weights += outputs * math.prod(kernel) * -(-depth // BYTE)
        else:
            outputs, kernel = channels, [*step.kernel]
        if isinstance(step, BinaryDepthwiseConv2d):
            self.weights += outputs * math.prod(kernel)
        shape = values[step_outputs(step)[0]].shape
        positions = math.prod(shape[1:]) * math.prod(kernel)
        self.positions += positions
        self.operations += positions * outputs * depth
