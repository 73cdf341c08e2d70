"""Packed models with one thing changed, mostly for the worse."""

from __future__ import annotations

import dataclasses
from typing import Any

from bnas_deploy.format import PackedModel

__all__ = ["edited", "with_program", "with_tensor"]


def with_program(model: PackedModel, **changes: Any) -> PackedModel:
    """The model with other fields of its program."""
    return dataclasses.replace(model, program=dataclasses.replace(model.program, **changes))


def edited(model: PackedModel, index: int, **changes: Any) -> PackedModel:
    """The model with other fields of a step."""
    steps = list(model.program.steps)
    steps[index] = dataclasses.replace(steps[index], **changes)
    return with_program(model, steps=tuple(steps))


def with_tensor(model: PackedModel, index: int, field: str, array: Any) -> PackedModel:
    """The model with another tensor in a field of a step, or of its first stage."""
    step: Any = model.program.steps[index]
    name = getattr(step if hasattr(step, field) else step.stages[0], field)
    return dataclasses.replace(model, tensors={**model.tensors, name: array})
