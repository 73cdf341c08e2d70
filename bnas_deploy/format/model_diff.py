"""The differences of two packed models: steps, wiring and tensors.

Steps are matched by what they do, because an export may choose new names: the longest common run of
equal steps is found, and the steps in between are changed, added or removed.
Provenance and cost are not compared: they change nothing that is computed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy.typing as npt

from bnas_deploy.format.difference import Difference, compare_arrays
from bnas_deploy.format.fields import Role
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.steps import OutputStage, Step

__all__ = ["ModelDiff", "StepDiff", "TensorDiff", "diff_models"]

Pairs = list[tuple[int | None, int | None]]


@dataclass(frozen=True)
class TensorDiff:
    """A tensor of a step that differs.

    Attributes:
        field: Of the step, such as ``weight`` or ``stages.0.scale``.
        name: Of the tensor, in the first model.
        difference: Of its elements (bits, where it is packed).
    """

    field: str
    name: str
    difference: Difference


@dataclass(frozen=True)
class StepDiff:
    """A step that differs.

    Attributes:
        what: ``changed``, ``removed`` (only the first model has it) or ``added``.
        op: Of the step.
        first: Its index in the first model, or None.
        second: Its index in the second model, or None.
        outputs: Names of what it assigns, in the model that has it (the first, if both).
        fields: Fields that differ, with both values.
        tensors: Tensors of the same shape whose elements differ.
    """

    what: str
    op: str
    first: int | None
    second: int | None
    outputs: tuple[str, ...]
    fields: Mapping[str, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    tensors: tuple[TensorDiff, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        tensors = [
            {"field": t.field, "name": t.name, **t.difference.to_dict()} for t in self.tensors
        ]
        fields = {name: list(both) for name, both in self.fields.items()}
        return {**vars(self), "outputs": list(self.outputs), "fields": fields, "tensors": tensors}


@dataclass(frozen=True)
class ModelDiff:
    """What differs between two models.

    Attributes:
        fields: Parts of the file other than steps that differ, with both values.
        steps: Steps that differ, in order.
    """

    fields: Mapping[str, tuple[Any, Any]]
    steps: tuple[StepDiff, ...]

    @property
    def equal(self) -> bool:
        """Whether there is no difference at all."""
        return not self.fields and not self.steps


@dataclass(frozen=True)
class _View:
    """A step taken apart: constants, names of values that it reads, tensors, each by field."""

    step: Step
    constants: dict[str, Any]
    reads: dict[str, Any]
    tensors: dict[str, npt.NDArray[Any] | None]
    names: dict[str, str | None]

    @property
    def signature(self) -> tuple[Any, ...]:
        types = tuple((f, _type(t)) for f, t in self.tensors.items())
        return (self.step.OP, tuple(self.constants.items()), types)


def diff_models(a: PackedModel, b: PackedModel) -> ModelDiff:
    """Compare two models."""
    x = [_view(step, a) for step in a.program.steps]
    y = [_view(step, b) for step in b.program.steps]
    renamed = {a.program.input: b.program.input}
    steps = []
    for i, j in _pair(x, y):
        found = _diff_pair(x, y, i, j, renamed)
        if found is not None:
            steps.append(found)
        if found is not None and found.what == "added":
            # It may stand for a removed step: who reads the value of that name is not rewired.
            for name in found.outputs:
                renamed.setdefault(name, name)
    return ModelDiff(dict(_diff_fields(a, b, renamed)), tuple(steps))


def _diff_fields(
    a: PackedModel, b: PackedModel, renamed: Mapping[str, str]
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    first, second = a.program, b.program
    inputs = [list(p.values[p.input].shape) for p in (first, second)]
    if inputs[0] != inputs[1]:
        yield "input", (inputs[0], inputs[1])
    if renamed.get(first.output) != second.output:
        yield "output", (first.output, second.output)
    for field in dataclasses.fields(a.preprocessing):
        both = (getattr(a.preprocessing, field.name), getattr(b.preprocessing, field.name))
        if both[0] != both[1]:
            yield f"preprocessing.{field.name}", both
    if a.labels != b.labels:
        yield "labels", (list(a.labels), list(b.labels))


def _view(step: Step, model: PackedModel) -> _View:
    view = _View(step, {}, {}, {}, {})
    for prefix, part in step.parts():
        if isinstance(part, OutputStage):
            view.constants[f"{prefix}kind"] = part.KIND
        for field, content in part.contents():
            name = prefix + field.name
            if field.role is Role.TENSOR:
                view.names[name] = content
                view.tensors[name] = None if content is None else model.tensors[content]
            elif field.role is Role.READS:
                view.reads[name] = content
            elif field.role is Role.ATTRIBUTE:
                view.constants[name] = content
    return view


def _type(tensor: npt.NDArray[Any] | None) -> str | None:
    return None if tensor is None else f"{tensor.dtype.name} {list(tensor.shape)}"


def _pair(x: list[_View], y: list[_View]) -> Pairs:
    """Indices of the steps that belong together, in order; None where there is no partner."""
    pairs: Pairs = []
    for tag, i0, i1, j0, j1 in _matches([v.signature for v in x], [v.signature for v in y]):
        if tag == "equal":
            pairs += zip(range(i0, i1), range(j0, j1), strict=True)
            continue
        # Alike in nothing but what they do: still the same step, with other numbers.
        ops = [v.step.OP for v in x[i0:i1]], [v.step.OP for v in y[j0:j1]]
        for inner, k0, k1, l0, l1 in _matches(*ops):
            mine, others = range(i0 + k0, i0 + k1), range(j0 + l0, j0 + l1)
            if inner == "equal":
                pairs += zip(mine, others, strict=True)
            else:
                pairs += [(i, None) for i in mine]
                pairs += [(None, j) for j in others]
    return pairs


def _matches(x: list[Any], y: list[Any]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, x, y, autojunk=False).get_opcodes()


def _diff_pair(
    x: list[_View], y: list[_View], i: int | None, j: int | None, renamed: dict[str, str]
) -> StepDiff | None:
    if i is None or j is None:
        what, view = ("removed", x[i]) if i is not None else ("added", y[j or 0])
        return StepDiff(what, view.step.OP, i, j, view.step.writes())
    one, two = x[i], y[j]
    fields = _differing(one.constants, two.constants)
    fields |= _differing(
        {f: _type(t) for f, t in one.tensors.items()}, {f: _type(t) for f, t in two.tensors.items()}
    )
    fields |= _rewired(one.reads, two.reads, renamed)
    renamed.update(zip(one.step.writes(), two.step.writes(), strict=False))
    tensors = tuple(_diff_tensors(one, two))
    if not fields and not tensors:
        return None
    return StepDiff("changed", one.step.OP, i, j, one.step.writes(), fields, tensors)


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys([*a, *b])
    return {n: (a.get(n), b.get(n)) for n in names if a.get(n) != b.get(n)}


def _rewired(
    a: Mapping[str, Any], b: Mapping[str, Any], renamed: Mapping[str, str]
) -> dict[str, tuple[Any, Any]]:
    """Fields that read another value than the one that belongs to the first model's."""

    def partner(names: Any) -> Any:  # noqa: ANN401
        if isinstance(names, tuple):
            return tuple(partner(name) for name in names)
        return None if names is None else renamed.get(names, f"(removed) {names}")

    return {n: (a[n], b[n]) for n in a if n in b and partner(a[n]) != b[n]}


def _diff_tensors(one: _View, two: _View) -> Iterator[TensorDiff]:
    for field, tensor in one.tensors.items():
        other = two.tensors.get(field)
        if tensor is None or other is None or _type(tensor) != _type(other):
            continue
        difference = compare_arrays(tensor, other)
        if difference.differing:
            yield TensorDiff(field, one.names[field] or "", difference)
