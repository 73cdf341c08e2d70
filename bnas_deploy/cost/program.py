"""Operations and bytes of a packed program, step by step.

A binary multiply-accumulate is one bit of a weight row at one output position, a float one belongs
to a `conv2d`, `grouped_conv2d` or `linear`, an 8-bit one to a `quantized_conv2d`; taps on padding
count, and element-wise steps and pools count as none.
Parts that the converter dropped (dead units, constant channels) are not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.cost.accounting import BINARY_MACS_PER_FLOP, EIGHT_BIT_MACS_PER_FLOP
from bnas_deploy.format.program import Program

__all__ = ["StepCost", "bytes_by_dtype", "cost_summary", "program_cost"]

Tensors = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class StepCost:
    """What one step costs, for one image.

    Attributes:
        index: Place of the step in the program.
        op: Its name in the file.
        outputs: Names of the values that it assigns.
        shape: (C, H, W) of what it computes, before a stage adds it to something larger.
        binary_macs: Binary multiply-accumulates.
        eight_bit_macs: 8-bit multiply-accumulates.
        float_macs: Float multiply-accumulates.
        bytes: Size of its tensors; a tensor that several steps share counts at the first.
    """

    index: int
    op: str
    outputs: tuple[str, ...]
    shape: tuple[int, int, int]
    binary_macs: int
    eight_bit_macs: int
    float_macs: int
    bytes: int


def program_cost(program: Program, tensors: Tensors) -> tuple[StepCost, ...]:
    """Count every step of a program.

    Args:
        program: The steps with the shapes of their values.
        tensors: The file's tensors by name.
    """
    seen: set[str] = set()
    costs = []
    for index, step in enumerate(program.steps):
        names = [name for name in step.tensors() if name not in seen]
        seen.update(names)
        count = step.count(program.values, tensors)
        costs.append(
            StepCost(
                index=index,
                op=step.OP,
                outputs=step.writes(),
                shape=step.computed(program.values, tensors),
                binary_macs=count.binary_macs,
                eight_bit_macs=count.eight_bit_macs,
                float_macs=count.float_macs,
                bytes=sum(tensors[name].nbytes for name in names),
            )
        )
    return tuple(costs)


def bytes_by_dtype(tensors: Tensors) -> dict[str, int]:
    """Bytes of a file's tensors by dtype as the file names it, U64, F32, I32, I8; zeros too."""
    kinds = {"U64": np.uint64, "F32": np.float32, "I32": np.int32, "I8": np.int8}
    return {
        name: sum(t.nbytes for t in tensors.values() if t.dtype == kind)
        for name, kind in kinds.items()
    }


def cost_summary(program: Program, tensors: Tensors) -> dict[str, Any]:
    """Short figures of a program, for `PackedModel.cost`; only plain JSON values.

    Args:
        program: The steps.
        tensors: The file's tensors by name.

    Returns:
        `steps`, `binary_macs`, `eight_bit_macs`, `float_macs`, `flops` (a binary
        multiply-accumulate is 1/64, an 8-bit one 1/8) and `bytes` by dtype. `paper_figures` has
        those of a network in the paper's accounting.
    """
    costs = program_cost(program, tensors)
    binary, floats = sum(c.binary_macs for c in costs), sum(c.float_macs for c in costs)
    eight_bit = sum(c.eight_bit_macs for c in costs)
    return {
        "steps": len(costs),
        "binary_macs": binary,
        "eight_bit_macs": eight_bit,
        "float_macs": floats,
        "flops": binary / BINARY_MACS_PER_FLOP + eight_bit / EIGHT_BIT_MACS_PER_FLOP + floats,
        "bytes": bytes_by_dtype(tensors),
    }
