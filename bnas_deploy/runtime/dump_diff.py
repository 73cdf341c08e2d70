"""The differences of two dumps, value by value, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnas_deploy.format.difference import Difference, compare_arrays, differs
from bnas_deploy.runtime.dump import Dump, DumpedValue

__all__ = ["DumpDiff", "ValueDiff", "diff_dumps"]


@dataclass(frozen=True)
class ValueDiff:
    """One value of both dumps.

    Attributes:
        value: As the first dump has it.
        difference: Of its elements.
        at: (image, channel, row, column) of the first element that differs, or None.
    """

    value: DumpedValue
    difference: Difference
    at: tuple[int, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        v = self.value
        return {
            "name": v.name,
            "step": v.step,
            "op": v.op,
            "kind": v.kind,
            "shape": list(v.shape),
            **self.difference.to_dict(),
            "at": None if self.at is None else list(self.at),
        }


@dataclass(frozen=True)
class DumpDiff:
    """What differs between two dumps.

    Attributes:
        problems: What cannot be compared, in words: other images, values that only one has.
        values: Every value that both have, in the first dump's order, equal ones included.
    """

    problems: tuple[str, ...]
    values: tuple[ValueDiff, ...]

    @property
    def first(self) -> ValueDiff | None:
        """The first value that differs, in program order: where to look for the fault."""
        return next((value for value in self.values if value.difference.differing), None)

    @property
    def equal(self) -> bool:
        """Whether there is no difference at all."""
        return not self.problems and self.first is None


def diff_dumps(a: Dump, b: Dump) -> DumpDiff:
    """Compare two dumps; values belong together by name.

    Raises:
        FormatError: A file of a dump is missing or damaged.
    """
    others = {value.name: value for value in b.values}
    problems = list(_problems(a, b, others))
    count = min(len(a.images), len(b.images))
    same = [v for v in a.values if _alike(v, others.get(v.name))]
    return DumpDiff(
        tuple(problems), tuple(_diff_value(a, b, v, others[v.name], count) for v in same)
    )


def _problems(a: Dump, b: Dump, others: dict[str, DumpedValue]) -> Iterator[str]:
    if len(a.images) != len(b.images):
        count = min(len(a.images), len(b.images))
        yield f"{len(a.images)} and {len(b.images)} images; the first {count} are compared"
    for value in a.values:
        other = others.get(value.name)
        if other is None:
            yield f"value {value.name!r} is only in the first"
        elif not _alike(value, other):
            yield f"value {value.name!r} is {_type(value)} and {_type(other)}"
    names = {value.name for value in a.values}
    for value in b.values:
        if value.name not in names:
            yield f"value {value.name!r} is only in the second"


def _alike(value: DumpedValue, other: DumpedValue | None) -> bool:
    return other is not None and (value.kind, value.shape) == (other.kind, other.shape)


def _type(value: DumpedValue) -> str:
    return f"{value.kind} {'x'.join(map(str, value.shape))}"


def _diff_value(a: Dump, b: Dump, mine: DumpedValue, other: DumpedValue, count: int) -> ValueDiff:
    x, y = a.load(mine)[:count], b.load(other)[:count]
    difference = compare_arrays(x, y)
    if not difference.differing:
        return ValueDiff(mine, difference, None)
    first = np.unravel_index(int(np.argmax(differs(x, y))), x.shape)
    return ValueDiff(mine, difference, tuple(int(i) for i in first))
