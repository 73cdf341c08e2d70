"""Tests of the rules of convolutions in groups, one fault each, with its message."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from support.faulty_programs import edited, with_tensor
from support.program_builder import Builder

from bnas_deploy.errors import FormatError
from bnas_deploy.format import PackedModel, to_bytes, validate
from bnas_deploy.format.limits import Work
from bnas_deploy.format.program import Value
from bnas_deploy.format.steps import BinaryGroupedConv2d, ScaleStage

FLOAT, BINARY = 0, 2


def model() -> PackedModel:
    """One of each; 6 channels in 3 groups of 2, 6 outputs and 9."""
    b = Builder(np.random.default_rng(0), (6, 5, 4))
    b.conv2d("image", 6, groups=3)
    b.binary_conv2d(b.binarize("image"), 9, groups=3, fold=True)
    return b.finish()


edit, tensor = partial(edited, model()), partial(with_tensor, model())

FAULTS: dict[str, tuple[PackedModel, str]] = {
    "groups that do not divide": (
        edit(FLOAT, groups=4),
        r"step 0 \(grouped_conv2d\): field 'groups': 4 do not divide 6 channels",
    ),
    "no groups": (edit(BINARY, groups=0), "field 'groups' must lie between 1 and 65536"),
    "bits do not divide": (edit(BINARY, groups=5), "5 do not divide 6 channels"),
    "float outputs": (tensor(FLOAT, "weight", np.zeros((7, 2, 3, 3), "f4")), "divide 7 outputs"),
    "binary outputs": (tensor(BINARY, "weight", np.zeros((8, 1), "u8")), "divide 8 outputs"),
    "whole rows": (
        tensor(FLOAT, "weight", np.zeros((6, 6, 3, 3), "f4")),
        r"expected shape \(O, 2, kh, kw\), got \(6, 6, 3, 3\)",
    ),
    "bits of a whole row": (
        tensor(BINARY, "weight", np.full((9, 1), 1 << 18, np.uint64)),
        "has bits set beyond the 18 of a row",
    ),
    "bias": (tensor(FLOAT, "bias", np.zeros(3, "f4")), r"must have shape \(6,\)"),
    "fold": (tensor(BINARY, "fold", np.zeros((3, 3, 3), "i4")), r"must have shape \(9, 3, 3\)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str) -> None:
    m, message = FAULTS[fault]
    with pytest.raises(FormatError, match=message):
        validate(m)
    with pytest.raises(FormatError):
        to_bytes(m)


def test_a_file_with_them_is_written_as_1_3() -> None:
    validate(model())
    assert b'"bnas.version":"1.3"' in to_bytes(model()).replace(b" ", b"")


def test_work_is_that_of_one_group_an_output() -> None:
    stage = ScaleStage("y", "s", "none")
    step = BinaryGroupedConv2d("x", "w", None, 2, (3, 3), (1, 1), (0,) * 4, (1, 1), (stage,))
    values = {"x": Value("bits", (18, 3, 3)), "y": Value("f32", (4, 1, 1))}
    work = Work()
    work.add("step", step, values, {"w": np.zeros((4, 2), np.uint64)})
    moved = (18 + 4) * 16
    assert work == Work(2, 4 * 9 * 2, 18 * 9, positions=9, work=9 * 4 * 64 + moved * 256)
