"""Tests of every rule that an 8-bit convolution must satisfy, one fault each, with its message."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from support.program_builder import Builder

from bnas_deploy.errors import FormatError
from bnas_deploy.format import PackedModel, Value, to_bytes, validate


def eight_bit(**tensors: Any) -> PackedModel:
    """A model with one 8-bit convolution (O = 2, C = 3, 2 x 2), some of its tensors replaced."""
    b = Builder(np.random.default_rng(0), (3, 4, 5))
    b.quantized_conv2d("image", 2, kernel=2, padding=0)
    m = b.finish()
    named = {getattr(m.program.steps[0], field): array for field, array in tensors.items()}
    return dataclasses.replace(m, tensors={**m.tensors, **named})


def step(**changes: Any) -> PackedModel:
    m = eight_bit()
    steps = (dataclasses.replace(m.program.steps[0], **changes), *m.program.steps[1:])
    return dataclasses.replace(m, program=dataclasses.replace(m.program, steps=steps))


def bits_for_an_input() -> PackedModel:
    m = eight_bit()
    values = {**m.program.values, "image": Value("bits", (3, 4, 5))}
    return dataclasses.replace(m, program=dataclasses.replace(m.program, values=values))


WEIGHT = np.full((2, 3, 2, 2), 127, np.int8)
FAULTS: dict[str, tuple[PackedModel, str]] = {
    "least weight": (
        eight_bit(weight=WEIGHT + np.int8(1)),
        r"step 0 \(quantized_conv2d\): field 'weight': .* between -127 and 127, got -128",
    ),
    "weight dtype": (eight_bit(weight=WEIGHT.astype("f4")), "must have dtype i8, got float32"),
    "weight channels": (eight_bit(weight=WEIGHT[:, 1:]), r"expected shape \(O, 3, kh, kw\)"),
    "weight ndim": (eight_bit(weight=WEIGHT[0]), r"expected shape \(O, 3, kh, kw\)"),
    "weight larger than the image": (
        eight_bit(weight=np.zeros((2, 3, 5, 1), np.int8)),
        "the window does not fit into 4 x 5",
    ),
    "offset dtype": (eight_bit(offset=np.zeros(2, np.int64)), "must have dtype i32, got int64"),
    "offset shape": (eight_bit(offset=np.zeros(3, np.int32)), r"must have shape \(2,\), got"),
    "sum": (
        eight_bit(weight=WEIGHT, offset=np.array([0, 2**31 - 127 * 127 * 12], np.int32)),
        "an integer sum can reach 2147483648, and must stay below 2147483648",
    ),
    "sum of the least integer": (
        eight_bit(weight=0 * WEIGHT, offset=np.array([-(2**31), 0], np.int32)),
        "an integer sum can reach 2147483648",
    ),
    "scale": (eight_bit(scale=np.array([1, np.inf], "f4")), "'scale': .* holds NaN or infinity"),
    "scale shape": (eight_bit(scale=np.ones(3, "f4")), r"must have shape \(2,\), got \(3,\)"),
    "input scale": (
        eight_bit(input_scale=np.array([1, np.nan, 1], "f4")),
        "'input_scale': .* holds NaN or infinity",
    ),
    "input scale negative": (
        eight_bit(input_scale=np.array([1, 1, -1e-9], "f4")),
        "'input_scale': .* must not be negative",
    ),
    "input scale shape": (eight_bit(input_scale=np.ones(2, "f4")), r"must have shape \(3,\)"),
    "input zero": (
        eight_bit(input_zero=np.array([1, -np.inf, 1], "f4")),
        "'input_zero': .* holds NaN or infinity",
    ),
    "activation": (step(activation="x"), "'activation' must be none or relu"),
    "kind": (
        bits_for_an_input(),
        "'image' must be a declared value of kind f32",
    ),
}


def test_eight_bit_sums_just_within_the_bound() -> None:
    offset = np.array([2**31 - 1 - 127 * 127 * 12, -(2**31) + 1 + 127 * 127 * 12], np.int32)
    validate(eight_bit(weight=WEIGHT, offset=offset))
    validate(eight_bit(input_scale=np.zeros(3, "f4"), scale=np.zeros(2, "f4")))


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str) -> None:
    m, message = FAULTS[fault]
    with pytest.raises(FormatError, match=message):
        validate(m)
    with pytest.raises(FormatError):
        to_bytes(m)
