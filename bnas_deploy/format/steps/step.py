"""What every step of a program is: its name, its version, its fields, its rule, its cost.

A new step is a subclass of `Step` in a file of this folder; everything that must know it by name
finds it in `STEPS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy.typing as npt

from bnas_deploy.format.fields import Field, Role, fields_of, limited_fields, role_fields
from bnas_deploy.format.scope import Scope
from bnas_deploy.format.values import Assigned, Shape, Value

__all__ = ["FIRST", "STEPS", "Count", "Part", "Step", "Tensors", "Values", "Version"]

Version = tuple[int, int]
"""Major, minor."""
FIRST: Version = (1, 0)

Values = Mapping[str, Value]
Tensors = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Count:
    """What a step costs, for one image.

    Attributes:
        weights: Weights of convolutions and linear layers, as docs/format.md counts them: the
            binary weights of one output and tap count as ceil(C / 8).
        terms: Channels of the input times positions of the window: what one output can be made of.
        positions: Pixels of the output times positions of the window.
        work: Of its sums and comparisons, as docs/format.md counts it.
        binary_macs: Binary multiply-accumulates.
        eight_bit_macs: 8-bit multiply-accumulates.
        float_macs: Float multiply-accumulates.
    """

    weights: int = 0
    terms: int = 0
    positions: int = 0
    work: int = 0
    binary_macs: int = 0
    eight_bit_macs: int = 0
    float_macs: int = 0


class Part:
    """A step, or a stage of one: a frozen dataclass with fields of the types in `fields`."""

    SINCE: ClassVar[Version]

    def contents(self) -> Iterator[tuple[Field, Any]]:
        """Each field with what it holds."""
        for field in fields_of(type(self)):
            yield field, getattr(self, field.name)

    def names(self, role: Role) -> Iterator[str]:
        """Names of the values or tensors in the fields of a role."""
        for field in role_fields(type(self), role):
            content = getattr(self, field)
            if content is not None:
                yield from (content if isinstance(content, tuple) else (content,))

    def check_attributes(self, scope: Scope) -> None:
        """Check the attributes that have limits.

        Raises:
            FormatError: One of them is out of its limits.
        """
        for field, limit in limited_fields(type(self)):
            scope.attribute(field, getattr(self, field), limit)


class Step(Part):
    """Base of the steps; a subclass gives ``op``, its name in files, and the version it came with.

    Attributes:
        OP: Name in files.
        SINCE: First version of the format that has it.
    """

    OP: ClassVar[str]

    def __init_subclass__(cls, *, op: str | None = None, since: Version = FIRST) -> None:
        """Enter a step that has a name into `STEPS`."""
        super().__init_subclass__()
        if op is not None:
            cls.OP, cls.SINCE = op, since
            STEPS[op] = cls

    def parts(self) -> tuple[tuple[str, Part], ...]:
        """The step itself and its stages, each with what its fields are called behind."""
        return (("", self),)

    def reads(self) -> tuple[str, ...]:
        """Names of the values that it reads, in the order of its fields."""
        return self._names(Role.READS)

    def writes(self) -> tuple[str, ...]:
        """Names of the values that it assigns."""
        return self._names(Role.WRITES)

    def tensors(self) -> tuple[str, ...]:
        """Names of the tensors that it uses, each once, in the order of its fields."""
        return tuple(dict.fromkeys(self._names(Role.TENSOR)))

    def _names(self, role: Role) -> tuple[str, ...]:
        return tuple(name for _, part in self.parts() for name in part.names(role))

    def infer(self, scope: Scope) -> Assigned:
        """Check the step and return the values that it assigns.

        Raises:
            FormatError: It breaks a rule of docs/format.md.
        """
        self.check_attributes(scope)
        return self._rule(scope)

    def _rule(self, scope: Scope) -> Assigned:
        """The rest of `infer`: what the limits of the attributes do not say."""
        raise NotImplementedError

    def since(self, values: Values) -> tuple[Version, str]:
        """The first version that has the step as it is, and what of it came with that version."""
        return self.SINCE, self.OP

    def count(self, values: Values, tensors: Tensors) -> Count:
        """What it costs, for one image, beside reading its inputs and writing its outputs."""
        return Count()

    def computed(self, values: Values, tensors: Tensors) -> Shape:
        """(C, H, W) of what it computes, before a stage adds that to something larger."""
        return values[self.writes()[0]].shape

    def in_place(self) -> dict[str, str]:
        """Outputs that may be written over an input which nobody reads later."""
        return {}


STEPS: dict[str, type[Step]] = {}
"""Every step by its name in files."""
