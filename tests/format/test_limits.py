"""Tests of the limits of whole programs: small files that would need days or all memory."""

from __future__ import annotations

import numpy as np
import pytest
from support.program_builder import Builder

from bnas_deploy.errors import FormatError
from bnas_deploy.format import PackedModel, Value, read, validate
from bnas_deploy.format.limits import Work, check_elements
from bnas_deploy.format.steps import (
    BinaryConv2d,
    Conv2d,
    Linear,
    MaxPool2d,
    QuantizedConv2d,
    ScaleStage,
)
from bnas_deploy.format.strict_json import parse_json

STAGE = ScaleStage("y", "scale", "none")


def builder(*shape: int) -> Builder:
    return Builder(np.random.default_rng(0), shape)  # type: ignore[arg-type]


def finished(b: Builder) -> PackedModel:
    return b.finish(2)


def test_values_that_are_allowed_singly_are_too_much_together() -> None:
    b = builder(1024, 512, 512)
    x = "image"
    for _ in range(4):
        x = b.relu(x)
    with pytest.raises(FormatError, match=r"values: together they may have 2\^30 elements, got"):
        validate(finished(b))


@pytest.mark.parametrize(("height", "width", "most"), [(1, 1, 1024), (4, 4, 1024), (1, 17, 512)])
def test_a_channel_counts_as_whole_vectors(height: int, width: int, most: int) -> None:
    value = Value("f32", (65536, height, width))
    values = {str(i): value for i in range(most)}
    check_elements(values)
    with pytest.raises(FormatError, match="together"):
        check_elements({**values, "one more": Value("bits", (1, 1, 1))})


def zeros(*shape: int) -> np.ndarray:
    """An array that claims its size without having it."""
    return np.broadcast_to(np.float32(0), shape)


def test_a_weight_that_many_steps_share_counts_each_time() -> None:
    step, work = Linear("x", "y", "weight", None), Work()
    tensors = {"weight": zeros(65536, 1024)}
    for _ in range(4):
        work.add("step", step, {}, tensors)
    with pytest.raises(FormatError, match=r"step: a program may have 2\^28 weights"):
        work.add("step", step, {}, tensors)


def test_binary_weights_of_few_channels_count_as_bytes() -> None:
    step = BinaryConv2d("x", "w", None, (3, 3), (1, 1), (0,) * 4, (1, 1), (STAGE,))
    values = {"x": Value("bits", (9, 3, 3)), "y": Value("f32", (5, 1, 1))}
    work = Work()
    work.add("step", step, values, {"w": zeros(5, 2)})
    assert work == Work(weights=5 * 9 * 2, positions=9, operations=9 * 5 * 9)


def test_eight_bit_convolutions_count_like_float_ones() -> None:
    geometry = ((1, 1), (0,) * 4, (1, 1), "none")
    values = {"x": Value("f32", (9, 3, 3)), "y": Value("f32", (5, 2, 2))}
    tensors = {"w": zeros(5, 9, 2, 2)}
    works = [Work(), Work()]
    works[0].add("step", QuantizedConv2d("x", "y", "w", *"oszz", *geometry), values, tensors)
    works[1].add("step", Conv2d("x", "y", "w", None, *geometry), values, tensors)
    assert works[0] == works[1] == Work(weights=180, positions=16, operations=16 * 45)


def test_large_windows_on_many_pixels() -> None:
    b = builder(1, 512, 512)
    b.pool(MaxPool2d, "image", kernel=255, padding=127)
    with pytest.raises(FormatError, match=r"step 0 .*: a program may have 2\^30 positions"):
        validate(finished(b))


def test_operations_beyond_all_patience() -> None:
    step = Conv2d("x", "y", "w", None, (1, 1), (4,) * 4, (1, 1), "none")
    value = Value("f32", (1024, 128, 128))
    tensors, work = {"w": zeros(1024, 1024, 8, 8)}, Work()
    values = {"x": value, "y": value}
    work.operations = 2**40 - 1
    with pytest.raises(FormatError, match=r"step: a program may have 2\^40 operations"):
        work.add("step", step, values, tensors)


def test_a_million_keys_with_one_twice_take_no_time_to_refuse() -> None:
    keys = ",".join(f'"{i}":0' for i in [*range(300_000), 299_999])
    with pytest.raises(FormatError, match="key '299999' occurs twice"):
        parse_json("{" + keys + "}", "header")


def test_a_giant_file_is_not_read(tmp_path) -> None:
    path = tmp_path / "m.bnn"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(FormatError, match="expected at most 2147483648 bytes, got 1099511627776"):
        read(path)
