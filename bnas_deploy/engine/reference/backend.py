"""The reference backend: the meaning of a program in plain NumPy, kept simple on purpose.

Every other backend is tested against it, bit for bit. The steps are in `steps`, the arithmetic in
`arithmetic`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.engine.reference.steps import MEANING, State
from bnas_deploy.engine.runner import (
    Floats,
    KernelUse,
    StepTime,
    check_images,
    check_threads,
    time_steps,
)
from bnas_deploy.format.limits import ELEMENT_LIMIT
from bnas_deploy.format.program import PackedModel, Program

__all__ = ["ReferenceRunner", "dying_values"]


def dying_values(program: Program) -> list[list[str]]:
    """By step, the values that nobody reads later; the input, which is the caller's, stays."""
    last: dict[str, int] = {}
    for i, step in enumerate(program.steps):
        last |= dict.fromkeys((*step.reads(), *step.writes()), i)
    dying: list[list[str]] = [[] for _ in program.steps]
    for name, i in last.items():
        if name not in (program.input, program.output):
            dying[i].append(name)
    return dying


class ReferenceRunner:
    """Runs a program as docs/format.md spells it; see `bnas_deploy.engine.runner.Runner`.

    `threads` is how many decode pictures, as on the other backends; NumPy chooses how many compute.
    """

    name = "reference"

    def __init__(self, model: PackedModel, *, threads: int = 1) -> None:
        self.isa: str | None = None
        self.threads = check_threads(threads)
        self.note: str | None = None
        self.interface = model.interface
        self._program = model.program
        self._tensors = model.tensors
        self._shapes = {name: value.shape for name, value in model.program.values.items()}
        self._dying = dying_values(model.program)

    def run(self, images: Floats) -> Floats:
        """Logits (N, classes) of float32 images (N, C, H, W)."""
        images = self._check(images)
        # A large program takes its images one after another.
        count = max(1, ELEMENT_LIMIT // 16 // sum(map(math.prod, self._shapes.values())))
        starts = range(0, max(1, len(images)), count)
        parts = [self._logits(images[i : i + count]) for i in starts]
        logits: Floats = np.concatenate(parts)
        return logits[:, :, 0, 0]

    def _logits(self, images: Floats) -> npt.NDArray[Any]:
        """Run without keeping what nobody reads later."""
        values = self._start(images)
        for i in range(len(self._program.steps)):
            self._step(i, values)
            for name in self._dying[i]:
                del values[name]
        return values[self._program.output]

    def trace(self, images: Floats) -> dict[str, npt.NDArray[Any]]:
        """Every value by name, (N, C, H, W) float32, or bool where True is -1."""
        values = self._start(images)
        for i in range(len(self._program.steps)):
            self._step(i, values)
        return values

    def profile(self, images: Floats, repeats: int) -> list[StepTime]:
        """(index, op, median seconds) of each step."""
        values = self._start(images)
        return time_steps(self._program.steps, lambda i: self._step(i, values), repeats)

    def kernels(self) -> list[KernelUse]:
        """The function of each step."""
        return [KernelUse(i, step.OP) for i, step in enumerate(self._program.steps)]

    def limit(self) -> None:
        """Not known: the loop that measures it belongs to the native backend."""

    def memory(self) -> None:
        """Not known: NumPy allocates it."""

    def _start(self, images: Floats) -> dict[str, npt.NDArray[Any]]:
        return {self._program.input: self._check(images)}

    def _check(self, images: Floats) -> Floats:
        return check_images(images, self._shapes[self._program.input])

    def _state(self, values: dict[str, npt.NDArray[Any]]) -> State:
        count = len(values[self._program.input])
        return State(values, self._tensors, self._shapes, count)

    def _step(self, i: int, values: dict[str, npt.NDArray[Any]]) -> None:
        step = self._program.steps[i]
        # Infinities and NaN are ordinary values of float arithmetic here, as on every backend.
        with np.errstate(all="ignore"):
            values.update(MEANING[step](step, self._state(values)))
