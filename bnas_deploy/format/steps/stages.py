"""The output stages of a binary convolution: what becomes of its dot products.

Shapes: O channels, H W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bnas_deploy.format.fields import Activation, OptionalReads, TensorName, Writes
from bnas_deploy.format.scope import Scope
from bnas_deploy.format.steps.step import FIRST, Part, Version
from bnas_deploy.format.values import Shape, Value, bits, floats

__all__ = [
    "STAGES",
    "AffineStage",
    "FloatStage",
    "OutputStage",
    "ScaleStage",
    "Stage",
    "ThresholdStage",
]


class OutputStage(Part):
    """Base of the stages; a subclass gives ``kind``, its name in files.

    Attributes:
        KIND: Name in files.
        SINCE: First version of the format that has it.
        output: The value that it assigns.
    """

    KIND: ClassVar[str]
    output: str

    def __init_subclass__(cls, *, kind: str | None = None, since: Version = FIRST) -> None:
        """Enter a stage that has a name into `STAGES`."""
        super().__init_subclass__()
        if kind is not None:
            cls.KIND, cls.SINCE = kind, since
            STAGES[kind] = cls

    def infer(self, scope: Scope, dots: Shape) -> tuple[str, Value]:
        """Check the stage behind dot products of a shape and return what it assigns.

        Raises:
            FormatError: It breaks a rule of docs/format.md.
        """
        raise NotImplementedError


STAGES: dict[str, type[OutputStage]] = {}
"""Every stage by its name in files."""


@dataclass(frozen=True)
class ThresholdStage(OutputStage, kind="threshold"):
    """Dot product to bits: positive iff ``(dot >= threshold[o]) != flip[o]``."""

    output: Writes
    threshold: TensorName  # int32 (O,)
    flip: TensorName  # packed bits (O,)

    def infer(self, scope: Scope, dots: Shape) -> tuple[str, Value]:
        """As `OutputStage.infer`."""
        scope.tensor("stages.threshold", self.threshold, "i32", dots[:1])
        scope.packed("stages.flip", self.flip, (), dots[0])
        return bits(self.output, dots)


class FloatStage(OutputStage):
    """Base of the stages that make floats, which may be added onto a slice of another value.

    With an addend of C' channels, the output is the addend with the stage's result added to
    channels ``at .. at + O - 1``; without, the output is the result and ``at`` is 0.

    Attributes:
        TERMS: Fields that hold one float per channel.
    """

    TERMS: ClassVar[tuple[str, ...]]
    scale: str
    activation: str
    addend: str | None
    at: int

    def infer(self, scope: Scope, dots: Shape) -> tuple[str, Value]:
        """As `OutputStage.infer`."""
        for name in self.TERMS:
            scope.floats(f"stages.{name}", getattr(self, name), dots[:1])
        self.check_attributes(scope)
        if self.addend is None:
            if self.at != 0:
                scope.fail(f"field 'at' must be 0 without an addend, got {self.at}")
            return floats(self.output, dots)
        whole = scope.value(self.addend, "f32", "addend")
        scope.slice(whole=whole, part=dots, at=self.at)
        return floats(self.output, whole)


@dataclass(frozen=True)
class ScaleStage(FloatStage, kind="scale"):
    """Dot product to float: ``v = act(dot * scale[o])``, maybe added onto a slice."""

    TERMS: ClassVar[tuple[str, ...]] = ("scale",)
    output: Writes
    scale: TensorName  # float32 (O,)
    activation: Activation
    addend: OptionalReads = None
    at: int = 0


@dataclass(frozen=True)
class AffineStage(FloatStage, kind="affine", since=(1, 3)):
    """Dot product to float: ``v = act(dot * scale[o] + shift[o])``, two roundings."""

    TERMS: ClassVar[tuple[str, ...]] = ("scale", "shift")
    output: Writes
    scale: TensorName  # float32 (O,)
    shift: TensorName  # float32 (O,)
    activation: Activation
    addend: OptionalReads = None
    at: int = 0


Stage = ThresholdStage | FloatStage
