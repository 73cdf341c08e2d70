"""Tests of the comparison of dumps: equal backends, the first fault located, what cannot match."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.random_programs import random_images, random_program
from support.small_models import picture_model

from bnas_deploy import engine
from bnas_deploy.format import PackedModel
from bnas_deploy.format.steps import BinaryConv2d
from bnas_deploy.runtime.dump import Dump, dump, read_dump
from bnas_deploy.runtime.dump_diff import diff_dumps
from bnas_deploy.runtime.model import Model

ABLE = [name for name, reason in engine.available().items() if reason is None]
IMAGES = np.random.default_rng(1).standard_normal((3, 3, 8, 8), dtype=np.float32)


def dumped(
    folder: Path, packed: PackedModel, images: np.ndarray = IMAGES, backend: str = "reference"
) -> Dump:
    names = [f"image {i}" for i in range(len(images))]
    dump(Model(packed, backend=backend), images, folder, names=names)
    return read_dump(folder)


@pytest.mark.parametrize("backend", ABLE)
def test_backends_do_not_differ(tmp_path: Path, backend: str) -> None:
    model = random_program(np.random.default_rng(5), steps=12)
    images = random_images(np.random.default_rng(6), model, 2)
    reference = dumped(tmp_path / "a", model, images)
    other = dumped(tmp_path / "b", model, images, backend)
    diff = diff_dumps(reference, other)
    assert diff.equal
    assert [d.value.name for d in diff.values] == [v.name for v in reference.values]
    assert all(d.difference.differing == 0 and d.at is None for d in diff.values)


@pytest.mark.parametrize("backend", ABLE)
def test_a_changed_weight_is_found_at_its_step(tmp_path: Path, backend: str) -> None:
    model = picture_model()
    (index,) = [i for i, s in enumerate(model.program.steps) if isinstance(s, BinaryConv2d)]
    step = model.program.steps[index]
    weight = model.tensors[step.weight].copy()
    weight[2, 0] ^= np.uint64(1)
    changed = replace(model, tensors={**model.tensors, step.weight: weight})
    first = diff_dumps(
        dumped(tmp_path / "a", model), dumped(tmp_path / "b", changed, backend=backend)
    ).first
    assert first is not None
    assert (first.value.step, first.value.op) == (index, "binary_conv2d")
    assert first.at is not None
    assert first.at[1] == 2
    assert 0 < first.difference.differing <= 3 * 8 * 8
    assert first.difference.elements == 3 * 5 * 8 * 8


def test_where_and_how_far(tmp_path: Path) -> None:
    model = picture_model()
    images = IMAGES.copy()
    a = dumped(tmp_path / "a", model, images)
    images[1, 2, 3, 4] = 5
    images[2, 0, 0, 0] = -images[2, 0, 0, 0]
    first = diff_dumps(a, dumped(tmp_path / "b", model, images)).values[0]
    assert first.at == (1, 2, 3, 4)
    assert first.difference.differing == 2
    by = [abs(float(IMAGES[1, 2, 3, 4]) - 5), 2 * abs(float(IMAGES[2, 0, 0, 0]))]
    assert first.difference.largest_absolute == pytest.approx(max(by))
    assert first.difference.largest_relative == 2


def test_fewer_images_are_a_problem_of_their_own(tmp_path: Path) -> None:
    model = picture_model()
    diff = diff_dumps(
        dumped(tmp_path / "a", model), dumped(tmp_path / "b", model, IMAGES[:2])
    )  # fmt: skip
    assert diff.problems == ("3 and 2 images; the first 2 are compared",)
    assert diff.first is None
    assert not diff.equal


def test_values_that_have_no_partner(tmp_path: Path) -> None:
    model = picture_model()
    a, b = dumped(tmp_path / "a", model), dumped(tmp_path / "b", model)
    x, y, *rest = a.values
    a = replace(a, values=(replace(x, name="mine"), replace(y, kind="bits"), *rest))
    diff = diff_dumps(a, b)
    shape = "x".join(map(str, y.shape))
    assert diff.problems == (
        "value 'mine' is only in the first",
        f"value {y.name!r} is bits {shape} and f32 {shape}",
        "value 'image' is only in the second",
    )
    assert len(diff.values) == len(rest)
    assert not diff.equal
