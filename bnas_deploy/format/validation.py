"""Checks that a packed model is consistent before it runs.

Nothing is allocated here in proportion to a number that a file states.
"""

from __future__ import annotations

import math

import numpy as np

from bnas_deploy.format.limits import ELEMENT_LIMIT, Work, check_elements, check_steps
from bnas_deploy.format.program import PackedModel, Preprocessing, Value
from bnas_deploy.format.scope import EXTENT_LIMIT, Scope, fail

__all__ = ["validate"]

KINDS = ("f32", "bits")


def validate(model: PackedModel) -> None:
    """Check everything that docs/format.md demands of a model.

    Raises:
        FormatError: The first fault found, with the step and the field.
    """
    for name, value in model.program.values.items():
        _check_value(name, value)
    check_elements(model.program.values)
    _check_steps(model)
    _check_output(model)
    _check_preprocessing(model.preprocessing, model.program.values[model.program.input])


def _check_value(name: str, value: Value) -> None:
    where = f"value {name!r}"
    if value.kind not in KINDS:
        fail(where, f"kind must be f32 or bits, got {value.kind[:40]!r}")
    if not all(1 <= extent <= EXTENT_LIMIT for extent in value.shape):
        fail(where, f"extents must lie between 1 and {EXTENT_LIMIT}, got {list(value.shape)}")
    if math.prod(value.shape) > ELEMENT_LIMIT:
        fail(where, f"shape {list(value.shape)} has more than 2^30 elements")


def _check_steps(model: PackedModel) -> None:
    program = model.program
    check_steps(len(program.steps))
    image = program.values.get(program.input)
    if image is None or image.kind != "f32":
        fail("input", f"{program.input!r} must be a declared value of kind f32")
    assigned = {program.input: image}
    read: set[str] = {program.output}
    used: set[str] = set()
    work = Work()
    for i, step in enumerate(program.steps):
        scope = Scope(f"step {i} ({step.OP})", assigned, model.tensors, used)
        results = step.infer(scope)
        read.update(step.reads())
        for name, value in results:
            _check_assignment(scope, name, value, program.values.get(name))
            assigned[name] = value
        work.add(scope.where, step, assigned, model.tensors)
    _check_all_used(model, set(assigned), read, used)


def _check_assignment(scope: Scope, name: str, value: Value, declared: Value | None) -> None:
    if declared is None:
        scope.fail(f"assigns {name!r}, which 'values' does not declare")
    if name in scope.assigned:
        scope.fail(f"assigns {name!r}, which has a value already")
    if value != declared:
        scope.fail(
            f"assigns {name!r} {value.kind} {list(value.shape)}, declared as "
            f"{declared.kind} {list(declared.shape)}"
        )


def _check_all_used(model: PackedModel, assigned: set[str], read: set[str], used: set[str]) -> None:
    for name in model.program.values:
        if name not in assigned:
            fail(f"value {name!r}", "no step assigns it")
        if name not in read:
            fail(f"value {name!r}", "no step reads it, and it is not the output")
    for name in model.tensors:
        if name not in used:
            fail(f"tensor {name!r}", "no step uses it")


def _check_output(model: PackedModel) -> None:
    name, classes = model.program.output, len(model.labels)
    value = model.program.values.get(name)
    if value is None:
        fail("output", f"{name!r} is not a declared value")
    if value.kind != "f32" or value.shape[1:] != (1, 1):
        fail("output", f"{name!r} must be f32 (classes, 1, 1), is {value.kind} {list(value.shape)}")
    if classes != value.shape[0]:
        fail("labels", f"expected one per class, {value.shape[0]}, got {classes}")


def _check_preprocessing(p: Preprocessing, image: Value) -> None:
    where = "preprocessing"
    c, h, w = image.shape
    if p.crop != (h, w):
        fail(where, f"crop {list(p.crop)} must be the input's height and width {[h, w]}")
    if not max(h, w) <= p.resize <= EXTENT_LIMIT:
        span = f"the crop's {max(h, w)} and {EXTENT_LIMIT}"
        fail(where, f"resize must lie between {span}, got {p.resize}")
    if len(p.mean) != c or len(p.std) != c:
        fail(where, f"mean and std need {c} numbers each, got {len(p.mean)} and {len(p.std)}")
    if not all(math.isfinite(m) and abs(m) < 1e30 for m in p.mean):
        fail(where, f"mean must be finite, got {list(p.mean)}")
    tiny = float(np.finfo(np.float32).tiny)
    if not all(tiny <= s < 1e30 for s in p.std):
        fail(where, f"std must be positive and finite in float32, got {list(p.std)}")
