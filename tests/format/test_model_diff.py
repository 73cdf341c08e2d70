"""Tests of the difference of models: renamed is equal, the rest is named at its step."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.program_builder import Builder
from support.random_programs import random_program, step_programs
from support.small_models import picture_model

from bnas_deploy.format import PackedModel
from bnas_deploy.format.codec import decode, encode
from bnas_deploy.format.model_diff import diff_models
from bnas_deploy.format.steps import BinaryConv2d, Relu, Sigmoid


def with_step(model: PackedModel, index: int, step: Any) -> PackedModel:
    steps = list(model.program.steps)
    steps[index] = step
    return replace(model, program=replace(model.program, steps=tuple(steps)))


def binary_step(model: PackedModel) -> int:
    (index,) = [i for i, s in enumerate(model.program.steps) if isinstance(s, BinaryConv2d)]
    return index


def chain(*, relus: int = 0, kernel: int = 3, seed: int = 0) -> PackedModel:
    """A convolution, so many ReLUs, a binary convolution."""
    b = Builder(np.random.default_rng(seed), (3, 8, 8))
    x = b.conv2d("image", 6)
    for _ in range(relus):
        x = b.relu(x)
    b.binary_conv2d(b.binarize(x), 5, kernel=kernel, padding=kernel // 2, stages=("scale_relu",))
    return b.finish()


def test_every_kind_of_step_equals_itself() -> None:
    for _, model in step_programs():
        assert diff_models(model, model).equal


def test_names_do_not_matter() -> None:
    a = chain()

    def text(tensor: str) -> str:
        return f"renamed {tensor}"

    b = renamed(a, text)
    assert set(a.program.values).isdisjoint(b.program.values)
    assert diff_models(a, b).equal


def renamed(model: PackedModel, new: Callable[[str], str]) -> PackedModel:
    names = {*model.program.values, *model.tensors}

    def walk(item: Any) -> Any:
        if isinstance(item, dict):
            return {new(k) if k in names else k: walk(v) for k, v in item.items()}
        if isinstance(item, (list, tuple)):
            return [walk(part) for part in item]
        return new(item) if isinstance(item, str) and item in names else item

    document = walk(encode(model))
    return decode(document, {new(name): tensor for name, tensor in model.tensors.items()})


def test_a_changed_weight_is_found_at_its_step() -> None:
    a = picture_model()
    index = binary_step(a)
    name = a.program.steps[index].weight
    weight = a.tensors[name].copy()
    weight[3, 0] ^= np.uint64(0b101)
    diff = diff_models(a, replace(a, tensors={**a.tensors, name: weight}))
    (step,) = diff.steps
    assert (step.what, step.op, step.first, step.second) == (
        "changed", "binary_conv2d", index, index,
    )  # fmt: skip
    assert not step.fields
    (tensor,) = step.tensors
    assert (tensor.field, tensor.name) == ("weight", name)
    assert (tensor.difference.differing, tensor.difference.elements) == (2, weight.nbytes * 8)


def test_a_changed_scale_is_found_in_its_stage() -> None:
    a = picture_model()
    name = a.program.steps[binary_step(a)].stages[0].scale
    scale = a.tensors[name].copy()
    scale[1] += np.float32(0.5)
    (step,) = diff_models(a, replace(a, tensors={**a.tensors, name: scale})).steps
    (tensor,) = step.tensors
    assert tensor.field == "stages.0.scale"
    assert tensor.difference.differing == 1
    assert tensor.difference.largest_absolute == pytest.approx(0.5)


def test_a_replaced_step_does_not_rewire_who_reads_its_value() -> None:
    a = chain(relus=1)
    relu = a.program.steps[1]
    assert isinstance(relu, Relu)
    b = with_step(a, 1, Sigmoid(input=relu.input, output=relu.output))
    assert [(s.what, s.op) for s in diff_models(a, b).steps] == [
        ("removed", "relu"),
        ("added", "sigmoid"),
    ]
    assert [s.what for s in diff_models(b, a).steps] == ["removed", "added"]


def test_an_added_step_does_not_confuse_the_rest() -> None:
    a, b = chain(), chain(relus=1)
    added = diff_models(a, b).steps
    assert [(s.what, s.op, s.first, s.second) for s in added[:1]] == [("added", "relu", None, 1)]
    # Its result is read in place of the other's, and random tensors come later in the row.
    assert "input" in added[1].fields
    removed = diff_models(b, a).steps
    assert [(s.what, s.op, s.first, s.second) for s in removed[:1]] == [
        ("removed", "relu", 1, None)
    ]


def test_a_step_with_other_numbers_is_changed_not_replaced() -> None:
    changed = diff_models(chain(), chain(kernel=5)).steps
    (step,) = [s for s in changed if s.op == "binary_conv2d"]
    assert step.what == "changed"
    assert step.fields["kernel"] == ((3, 3), (5, 5))
    assert step.fields["padding"] == ((1, 1, 1, 1), (2, 2, 2, 2))
    assert step.fields["weight"] == ("uint64 [5, 1]", "uint64 [5, 3]")


def test_other_wiring_is_a_change() -> None:
    b = Builder(np.random.default_rng(0), (3, 4, 4))
    one, two = b.relu("image"), b.relu("image")
    b.add_slice(one, two, 0)
    a = b.finish()
    index = next(i for i, s in enumerate(a.program.steps) if s.OP == "add_slice")
    swapped = with_step(a, index, replace(a.program.steps[index], input=two, addend=one))
    (step,) = diff_models(a, swapped).steps
    assert step.fields == {"input": (one, two), "addend": (two, one)}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (lambda m: replace(m, labels=("x", *m.labels[1:])), {"labels"}),
        (
            lambda m: replace(m, preprocessing=replace(m.preprocessing, resize=9, mean=(0, 0, 0))),
            {"preprocessing.resize", "preprocessing.mean"},
        ),
        (lambda m: replace(m, provenance={"made": "elsewhere"}, cost={"flops": 1}), set()),
        (lambda m: replace(m, program=replace(m.program, output="image")), {"output"}),
    ],
)
def test_parts_that_are_no_steps(change: Callable[..., PackedModel], fields: set[str]) -> None:
    a = picture_model()
    diff = diff_models(a, change(a))
    assert set(diff.fields) == fields
    assert diff.equal == (not fields)


def test_another_network_altogether_can_be_written_as_json() -> None:
    a, b = (random_program(np.random.default_rng(seed), steps=15) for seed in (1, 2))
    diff = diff_models(a, b)
    assert not diff.equal
    json.dumps([step.to_dict() for step in diff.steps], allow_nan=False)
    both = [s for s in diff.steps if s.first is not None]
    assert [s.first for s in both] == sorted(s.first for s in both)
