"""The types of the fields of steps: each says what a field holds, and within which limits.

A step is a dataclass whose fields are annotated with these types. The codec, the checks, the
difference of two models, the planning of memory and the converters look at them, so that none of
these needs a list of its own.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from enum import Enum, auto
from typing import Annotated, Any, get_args, get_origin, get_type_hints

__all__ = [
    "Activation",
    "Extents",
    "Field",
    "Groups",
    "Least",
    "Margins",
    "OneOf",
    "OptionalReads",
    "OptionalTensorName",
    "Padding",
    "Pair",
    "Reads",
    "ReadsAll",
    "Role",
    "TensorName",
    "Writes",
    "fields_of",
    "limited_fields",
    "role_fields",
]


class Role(Enum):
    """What a field holds."""

    READS = auto()
    """Names of values that the step reads."""
    WRITES = auto()
    """The name of a value that it assigns."""
    TENSOR = auto()
    """The name of a tensor of the file, or None where the specification says optional."""
    STAGES = auto()
    """Its output stages."""
    ATTRIBUTE = auto()
    """Anything else: numbers and choices."""


@dataclass(frozen=True)
class Least:
    """Limit of a number or of several: from so many to the largest extent."""

    number: int


@dataclass(frozen=True)
class OneOf:
    """Limit of a string."""

    choices: tuple[str, ...]


Reads = Annotated[str, Role.READS]
OptionalReads = Annotated[str | None, Role.READS]
ReadsAll = Annotated[tuple[str, ...], Role.READS]
Writes = Annotated[str, Role.WRITES]
TensorName = Annotated[str, Role.TENSOR]
OptionalTensorName = Annotated[str | None, Role.TENSOR]

Pair = tuple[int, int]
"""Along y, along x."""
Padding = tuple[int, int, int, int]
"""Top, left, bottom, right."""

Extents = Annotated[Pair, Least(1)]
Margins = Annotated[Padding, Least(0)]
Groups = Annotated[int, Least(1)]
Activation = Annotated[str, OneOf(("none", "relu"))]


@dataclass(frozen=True)
class Field:
    """One field of a step or stage.

    Attributes:
        name: Of the field.
        type: What the codec reads, such as ``str | None``.
        role: What it holds.
        limit: Of an attribute, or None.
    """

    name: str
    type: Any
    role: Role
    limit: Least | OneOf | None = None


def fields_of(cls: Any) -> tuple[Field, ...]:  # noqa: ANN401
    """The fields of a dataclass, in order."""
    return _fields(cls)


def role_fields(cls: Any, role: Role) -> tuple[str, ...]:  # noqa: ANN401
    """Names of the fields of a dataclass that have a role, in order."""
    return _role_fields(cls, role)


def limited_fields(cls: Any) -> tuple[tuple[str, Least | OneOf], ...]:  # noqa: ANN401
    """Names and limits of the fields of a dataclass that have one, in order."""
    return _limited_fields(cls)


@functools.cache
def _fields(cls: Any) -> tuple[Field, ...]:  # noqa: ANN401
    hints = get_type_hints(cls, include_extras=True)
    return tuple(_field(f.name, hints[f.name]) for f in dataclasses.fields(cls))


@functools.cache
def _role_fields(cls: Any, role: Role) -> tuple[str, ...]:  # noqa: ANN401
    return tuple(field.name for field in _fields(cls) if field.role is role)


@functools.cache
def _limited_fields(cls: Any) -> tuple[tuple[str, Least | OneOf], ...]:  # noqa: ANN401
    return tuple((f.name, f.limit) for f in _fields(cls) if f.limit is not None)


def _field(name: str, hint: Any) -> Field:  # noqa: ANN401
    if get_origin(hint) is not Annotated:
        return Field(name, hint, Role.ATTRIBUTE)
    plain, mark = get_args(hint)
    if isinstance(mark, Role):
        return Field(name, plain, mark)
    return Field(name, plain, Role.ATTRIBUTE, mark)
