"""Tests of every rule of the steps that came with 1.2, one fault each, with its message."""

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
from bnas_deploy.format.steps import BinaryDepthwiseConv2d, MeanMagnitude, ScaleStage

DEPTHWISE, MEAN, MULTIPLY = 1, 2, 3


def model() -> PackedModel:
    """One of each of the new steps; C = 5, 6 x 7 pixels."""
    b = Builder(np.random.default_rng(0), (5, 6, 7))
    b.binary_depthwise_conv2d(b.binarize("image"), kernel=(3, 2), stages=("threshold", "scale"))
    b.multiply("image", b.mean_magnitude("image"))
    return b.finish()


edit, tensor = partial(edited, model()), partial(with_tensor, model())

FAULTS: dict[str, tuple[PackedModel, str]] = {
    "weight rows": (
        tensor(DEPTHWISE, "weight", np.zeros((4, 1), np.uint64)),
        r"step 1 \(binary_depthwise_conv2d\): field 'weight': .* must have shape \(5, 1\)",
    ),
    "weight bits": (
        tensor(DEPTHWISE, "weight", np.full((5, 1), 64, np.uint64)),
        "has bits set beyond the 6 of a row",
    ),
    "weight dtype": (
        tensor(DEPTHWISE, "weight", np.zeros((5, 1), np.int32)),
        "must have dtype u64, got int32",
    ),
    "floats in": (edit(DEPTHWISE, input="image"), "needs a value of kind bits"),
    "no stages": (edit(DEPTHWISE, stages=()), "must hold at least one stage"),
    "kernel": (edit(DEPTHWISE, kernel=(65_536, 2)), "a window has at most 65536 positions"),
    "scale": (tensor(MEAN, "scale", np.ones(4, "f4")), r"must have shape \(5,\), got \(4,\)"),
    "shift": (tensor(MEAN, "shift", np.full(5, np.nan, "f4")), "holds NaN or infinity"),
    "terms": (tensor(MEAN, "terms", np.ones(1, "f4")), r"must have shape \(2,\), got \(1,\)"),
    "infinite terms": (tensor(MEAN, "terms", np.array([1, np.inf], "f4")), "holds NaN or infinity"),
    "factor that is not there": (edit(MULTIPLY, factor="x"), "'factor' reads the value 'x'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str) -> None:
    m, message = FAULTS[fault]
    with pytest.raises(FormatError, match=message):
        validate(m)
    with pytest.raises(FormatError):
        to_bytes(m)


def test_the_model_without_a_fault() -> None:
    validate(model())
    assert isinstance(model().program.steps[MEAN], MeanMagnitude)


def test_a_file_with_them_is_written_as_1_2() -> None:
    assert b'"bnas.version":"1.2"' in to_bytes(model()).replace(b" ", b"")


def test_depthwise_weights_count_as_bytes() -> None:
    stage = ScaleStage("y", "s", "none")
    step = BinaryDepthwiseConv2d("x", "w", (3, 3), (1, 1), (0,) * 4, (1, 1), (stage,))
    values = {"x": Value("bits", (9, 3, 3)), "y": Value("f32", (9, 1, 1))}
    work = Work()
    work.add("step", step, values, {"w": np.zeros((9, 1), np.uint64)})
    moved = (9 + 9) * 16
    assert work == Work(2, 9 * 9, 9 * 9, positions=9, work=9 * 9 * 64 + moved * 256)
