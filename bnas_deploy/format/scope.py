"""What one step of a program may look up while it is checked, with errors that name step and field.

It checks existence, kinds, dtypes and shapes; the rules of each step are in `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from bnas_deploy.bits import padding_is_zero, words_for
from bnas_deploy.errors import FormatError
from bnas_deploy.format.fields import Least, OneOf
from bnas_deploy.format.values import Shape, Value

__all__ = ["EXTENT_LIMIT", "Scope", "fail"]

EXTENT_LIMIT = 65_536

DTYPES = {
    "u64": np.dtype("<u8"),
    "f32": np.dtype("<f4"),
    "i32": np.dtype("<i4"),
    "i8": np.dtype("i1"),
}


def fail(where: str, what: str) -> NoReturn:
    """Raise a FormatError that says where."""
    msg = f"{where}: {what}"
    raise FormatError(msg)


@dataclass
class Scope:
    """The view of one step.

    Attributes:
        where: The step, for messages.
        assigned: Values that earlier steps (or the input) have assigned.
        tensors: The model's tensors.
        used: Names of the tensors asked for so far, by all steps.
    """

    where: str
    assigned: Mapping[str, Value]
    tensors: Mapping[str, npt.NDArray[Any]]
    used: set[str] = field(default_factory=set)

    def fail(self, what: str) -> NoReturn:
        """Raise a FormatError that says which step."""
        fail(self.where, what)

    def value(self, name: str, kind: str, what: str = "input") -> Shape:
        """The shape of a value that must be assigned already and of that kind."""
        value = self.assigned.get(name)
        if value is None:
            self.fail(f"field {what!r} reads the value {name!r}, which no earlier step assigns")
        if value.kind != kind:
            self.fail(f"field {what!r} needs a value of kind {kind}, {name!r} is {value.kind}")
        return value.shape

    def tensor(self, what: str, name: str, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """A tensor that must exist and have that dtype and shape."""
        tensor = self.tensor_of(what, name, dtype)
        if tensor.shape != shape:
            got = tensor.shape
            self.fail(f"field {what!r}: tensor {name!r} must have shape {shape}, got {got}")
        return tensor

    def tensor_of(self, what: str, name: str, dtype: str) -> npt.NDArray[Any]:
        """A tensor that must exist and have that dtype, of any shape."""
        tensor = self.tensors.get(name)
        if tensor is None:
            self.fail(f"field {what!r} names the tensor {name!r}, which the file does not hold")
        if tensor.dtype != DTYPES[dtype]:
            got = tensor.dtype.name
            self.fail(f"field {what!r}: tensor {name!r} must have dtype {dtype}, got {got}")
        self.used.add(name)
        return tensor

    def floats(self, what: str, name: str, shape: tuple[int, ...]) -> None:
        """A float32 tensor of that shape without NaN or infinity."""
        if not np.isfinite(self.tensor(what, name, "f32", shape)).all():
            self.fail(f"field {what!r}: tensor {name!r} holds NaN or infinity")

    def packed(self, what: str, name: str, rows: tuple[int, ...], bits: int) -> None:
        """A tensor of packed rows of `bits` bits whose padding is zero."""
        words = self.tensor(what, name, "u64", (*rows, words_for(bits)))
        if not padding_is_zero(words, bits):
            self.fail(f"field {what!r}: tensor {name!r} has bits set beyond the {bits} of a row")

    def extents(self, what: str, numbers: tuple[int, ...], *, least: int = 1) -> None:
        """Numbers between `least` and the limit of an extent."""
        if numbers and not least <= min(numbers) <= max(numbers) <= EXTENT_LIMIT:
            got = list(numbers)
            self.fail(f"field {what!r} must lie between {least} and {EXTENT_LIMIT}, got {got}")

    def attribute(self, what: str, content: Any, limit: Least | OneOf) -> None:  # noqa: ANN401
        """A field's content within its limits."""
        if isinstance(limit, Least):
            numbers = content if isinstance(content, tuple) else (content,)
            self.extents(what, numbers, least=limit.number)
        elif content not in limit.choices:
            self.fail(f"field {what!r} must be {' or '.join(limit.choices)}, got {content[:40]!r}")

    def divided(self, groups: int, count: int, what: str) -> int:
        """How many of `count` channels or outputs each group has."""
        if count % groups:
            self.fail(f"field 'groups': {groups} do not divide {count} {what}")
        return count // groups

    def slice(self, *, whole: Shape, part: Shape, at: int) -> None:
        """A part that fits into channels at ... of a whole."""
        if whole[1:] != part[1:]:
            self.fail(
                f"cannot add {list(part[1:])} pixels to {list(whole[1:])}; they must be equal"
            )
        if not 0 <= at <= whole[0] - part[0]:
            self.fail(f"field 'at': {part[0]} channels at {at} do not lie within {whole[0]}")
