"""What decides the time of a step of a packed program, as a key that tables are made of.

Two steps of one key do the same work on values of the same size. The contents of the weights do not
matter: the kernels have no branches on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from bnas_deploy.errors import FormatError
from bnas_deploy.format.fields import Role
from bnas_deploy.format.program import Program
from bnas_deploy.format.steps.channels import AddSlice
from bnas_deploy.format.steps.elementwise import Binarize
from bnas_deploy.format.steps.step import Step

__all__ = ["StepKey", "step_keys"]

Tensors = Mapping[str, npt.NDArray[Any]]

_LEFT_OUT = frozenset({"padding", "at", "activation"})
"""Attributes that do not change the work: where a result goes, a ReLU in registers."""


@dataclass(frozen=True, order=True)
class StepKey:
    """The work of one step.

    Attributes:
        work: Name of the step and its window: `binary_conv2d kernel=3x3 stride=1x1 dilation=1x1`.
        detail: What becomes of the result: stages, whether it is added in place; a comparison's
            place among those of the same value, which the engine computes together.
        inputs: Channels that are read, of all inputs together.
        outputs: Channels that are computed.
        size: (height, width) in pixels of what is computed; of what is read, where that is one.
    """

    work: str
    detail: str
    inputs: int
    outputs: int
    size: tuple[int, int]

    def to_text(self) -> str:
        """One line that `from_text` reads back."""
        height, width = self.size
        return f"{self.work} | {self.detail} | {self.inputs}>{self.outputs} | {height}x{width}"

    @classmethod
    def from_text(cls, text: str) -> StepKey:
        """Read what `to_text` wrote.

        Raises:
            FormatError: The text is something else.
        """
        try:
            work, detail, channels, pixels = text.split(" | ")
            inputs, outputs = map(int, channels.split(">"))
            height, width = map(int, pixels.split("x"))
        except ValueError as error:
            msg = f"expected 'work | detail | inputs>outputs | heightxwidth'; got {text[:80]!r}"
            raise FormatError(msg) from error
        return cls(work, detail, inputs, outputs, (height, width))


def step_keys(program: Program, tensors: Tensors) -> list[StepKey]:
    """Return the key of each step of a program, in order."""
    last = {name: i for i, step in enumerate(program.steps) for name in step.reads()}
    places = list(_places(program.steps))
    return [
        _key(program, tensors, step, _detail(step, index, last, places[index]))
        for index, step in enumerate(program.steps)
    ]


def _key(program: Program, tensors: Tensors, step: Step, detail: str) -> StepKey:
    shapes = [program.values[name].shape for name in _sources(step)]
    inputs = sum(shape[0] for shape in shapes)
    outputs, height, width = step.computed(program.values, tensors)
    if (height, width) == (1, 1) and shapes:  # a pool of all pixels works on its input
        _, height, width = shapes[0]
    words = [step.OP]
    for field, content in step.contents():
        if field.role is Role.ATTRIBUTE and field.name not in _LEFT_OUT:
            words.append(f"{field.name}={_shown(content)}")
    if not any(word.startswith("kernel=") for word in words):
        count = step.count(program.values, tensors)
        macs = count.binary_macs + count.eight_bit_macs + count.float_macs
        if macs:
            words.append(f"taps={round(macs / (inputs * outputs * height * width))}")
    return StepKey(" ".join(words), detail, inputs, outputs, (height, width))


def _sources(step: Step) -> Sequence[str]:
    """What a step computes from, without what its result is added to."""
    return [step.addend] if isinstance(step, AddSlice) else list(step.names(Role.READS))


def _detail(step: Step, index: int, last: Mapping[str, int], place: str) -> str:
    stages = [
        f"{getattr(part, 'KIND', '')}{'+add' if getattr(part, 'addend', None) else ''}"
        for prefix, part in step.parts()
        if prefix
    ]
    kept = [name for name in step.in_place().values() if last.get(name, -1) > index]
    words = [*stages, *(["copy"] if kept else []), *([place] if place else [])]
    return ", ".join(words) or "-"


def _places(steps: Sequence[Step]) -> Iterator[str]:
    """For comparisons of one value that follow each other `1 of 3` and so on, else nothing."""
    index = 0
    while index < len(steps):
        step, run = steps[index], 1
        if isinstance(step, Binarize):
            while index + run < len(steps) and _same_value(step, steps[index + run]):
                run += 1
            yield from (f"{i + 1} of {run}" for i in range(run))
        else:
            yield ""
        index += run


def _same_value(first: Binarize, other: Step) -> bool:
    return isinstance(other, Binarize) and other.input == first.input


def _shown(content: object) -> str:
    return "x".join(map(str, content)) if isinstance(content, tuple) else str(content)
