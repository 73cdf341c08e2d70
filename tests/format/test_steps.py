"""Tests that the steps say of themselves what the rest of the package asks them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from support.program_builder import Builder
from support.random_programs import step_programs

from bnas_deploy.format.fields import Role, fields_of
from bnas_deploy.format.scope import Scope
from bnas_deploy.format.steps import STAGES, STEPS, AddSlice, BinaryConv2d, Step
from bnas_deploy.format.steps.step import FIRST
from bnas_deploy.format.version import VERSION, version_text

DOCS = Path(__file__).parents[2] / "docs" / "format.md"
PROGRAMS = dict(step_programs())


@pytest.mark.parametrize("op", STEPS)
def test_every_step_is_documented_with_its_version(op: str) -> None:
    cls = STEPS[op]
    (since,) = re.findall(rf"^\*\*{op}\*\*(?: \(since ([0-9.]+)\))?", DOCS.read_text("utf-8"), re.M)
    assert (since or version_text(FIRST)) == version_text(cls.SINCE)
    assert cls.__doc__
    assert "__dataclass_fields__" in vars(cls)
    assert cls.__dataclass_params__.frozen


@pytest.mark.parametrize("kind", STAGES)
def test_every_stage_is_documented_with_its_version(kind: str) -> None:
    found = re.findall(rf"^- kind `{kind}`(?: \(since ([0-9.]+)\))?", DOCS.read_text("utf-8"), re.M)
    assert [since or version_text(FIRST) for since in found] == [version_text(STAGES[kind].SINCE)]


def test_the_specification_is_of_the_newest_version() -> None:
    text = DOCS.read_text("utf-8")
    assert f"This page is the specification, version {version_text(VERSION)}." in re.sub(
        r"\s+", " ", text
    )
    assert f"\n- {version_text(VERSION)}: " in text


@pytest.mark.parametrize("op", STEPS)
def test_every_field_has_a_role(op: str) -> None:
    roles = {field.name: field.role for field in fields_of(STEPS[op])}
    strings = {f.name for f in fields_of(STEPS[op]) if f.type in (str, str | None)}
    values = {"input", "inputs", "addend", "factor"}
    assert {name for name, role in roles.items() if role is Role.READS} == values & set(roles)
    assert {name for name, role in roles.items() if role is Role.WRITES} == {"output"} & set(roles)
    named = {n for n, r in roles.items() if r in (Role.READS, Role.WRITES, Role.TENSOR)}
    assert strings - named <= {"activation"}


def test_random_programs_have_every_step() -> None:
    assert {s.OP for m in PROGRAMS.values() for s in m.program.steps} == set(STEPS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_steps_name_all_values_and_tensors(name: str) -> None:
    m = PROGRAMS[name]
    reads = {x for step in m.program.steps for x in step.reads()}
    writes = [x for step in m.program.steps for x in step.writes()]
    tensors = {x for step in m.program.steps for x in step.tensors()}
    assert [m.program.input, *writes] == sorted(
        m.program.values, key=[m.program.input, *writes].index
    )
    assert reads | {m.program.output} == set(m.program.values)
    assert tensors == set(m.tensors)


def test_names_come_in_the_order_of_the_fields() -> None:
    b = Builder(np.random.default_rng(0), (3, 4, 5))
    bits = b.binarize("image")
    outputs = b.binary_conv2d(bits, 4, stages=("scale_add", "threshold", "affine_add"), fold=True)
    step = b.steps[-1]
    assert isinstance(step, BinaryConv2d)
    first, middle, last = step.stages
    assert step.reads() == (bits, first.addend, last.addend)
    assert step.writes() == outputs
    assert step.tensors() == (
        step.weight, step.fold, first.scale, middle.threshold, middle.flip, last.scale, last.shift,
    )  # fmt: skip
    assert step.in_place() == {outputs[0]: first.addend, outputs[2]: last.addend}
    assert AddSlice("x", "a", "y", 2).in_place() == {"y": "x"}


def test_a_new_step_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnas_deploy.format.steps.step.STEPS", {**STEPS})

    @dataclasses.dataclass(frozen=True)
    class Nothing(Step, op="nothing", since=(9, 9)):
        """Does nothing."""

    from bnas_deploy.format.steps import step

    assert step.STEPS["nothing"] is Nothing
    assert Nothing().since({}) == ((9, 9), "nothing")
    with pytest.raises(NotImplementedError):
        Nothing().infer(Scope("step 0", {}, {}))
