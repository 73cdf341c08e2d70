"""The buffers of a program's values in the Numba backend, and its registry of steps.

Shapes: a float value is (C, P) float32, a bits value (G, S) uint8 byte planes, P = H*W,
G = ceil(C / 8).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.engine.implementations import Implementations
from bnas_deploy.format.program import PackedModel, Program, Value
from bnas_deploy.format.steps import Constant, Step

__all__ = ["PREPARE", "Array", "Plan", "Prepared", "Workspace", "make_plan", "padded"]

Array = npt.NDArray[Any]


def padded(pixels: int, lanes: int) -> int:
    """Elements from one plane to the next: whole vectors, and one more to spread cache sets."""
    return (-(-pixels // lanes) + 1) * lanes


@dataclass(frozen=True)
class Plan:
    """Where values live.

    Attributes:
        slots: Index of its buffer, by value.
        buffers: Dtype and shape of each buffer.
    """

    slots: dict[str, int]
    buffers: tuple[tuple[str, tuple[int, int]], ...]


def _buffer(value: Value) -> tuple[str, tuple[int, int]]:
    c, h, w = value.shape
    if value.kind == "f32":
        return "f4", (c, h * w)
    return "u1", (-(-c // 8), padded(h * w, 64))


def make_plan(program: Program, *, keep: bool = False) -> Plan:
    """Give each value a buffer; buffers are used again after the last reader, unless `keep`.

    A constant has a buffer to itself, so that it is written once.
    """
    constants = {step.output for step in program.steps if isinstance(step, Constant)}
    last = {name: i for i, step in enumerate(program.steps) for name in step.reads()}
    last |= dict.fromkeys((program.output, *constants), len(program.steps))
    slots: dict[str, int] = {}
    buffers: list[tuple[str, tuple[int, int]]] = []
    free: dict[tuple[str, tuple[int, int]], list[int]] = defaultdict(list)

    def place(name: str) -> None:
        kind = _buffer(program.values[name])
        if not free[kind]:
            buffers.append(kind)
            free[kind].append(len(buffers) - 1)
        slots[name] = free[kind].pop()

    for name in (*sorted(constants), program.input):
        place(name)
    for i, step in enumerate(program.steps):
        over = {} if keep else _overwritten(step, {n for n in step.reads() if last[n] == i})
        for name in step.writes():
            if name in over:
                slots[name] = slots[over[name]]
            elif name not in constants:
                place(name)
        if not keep:
            for name in set(step.reads()) - set(over.values()):
                if last[name] == i:
                    free[_buffer(program.values[name])].append(slots[name])
    return Plan(slots, tuple(buffers))


def _overwritten(step: Step, dying: set[str]) -> dict[str, str]:
    """Outputs that may be written over an input that nobody reads later, nor twice here."""
    reads = Counter(step.reads())
    return {
        out: name for out, name in step.in_place().items() if name in dying and reads[name] == 1
    }


@dataclass
class Workspace:
    """The memory of one thread: a buffer for every slot of a plan, and scratch by name."""

    plan: Plan
    buffers: list[Array] = field(init=False)
    _scratch: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.buffers = [np.zeros(shape, dtype) for dtype, shape in self.plan.buffers]

    def __getitem__(self, name: str) -> Array:
        return self.buffers[self.plan.slots[name]]

    def scratch(self, name: str, shape: tuple[int, int], dtype: str) -> Array:
        """An array of that shape with whatever it held before."""
        size = math.prod(shape)
        if name not in self._scratch or self._scratch[name].size < size:
            self._scratch[name] = np.zeros(size, dtype)
        return self._scratch[name][:size].reshape(shape)


Prepared = Callable[[Workspace], None]
"""A step made ready: it runs in the memory of a thread."""

PREPARE: Implementations[Callable[[Any, PackedModel], Prepared]] = Implementations("numba")
"""From a step and its model to the step made ready."""
