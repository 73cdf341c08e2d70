"""Tests of the limits of whole programs: small files that would need days or all memory."""

from __future__ import annotations

import numpy as np
import pytest
from support.program_builder import Builder

from bnas_deploy.errors import FormatError
from bnas_deploy.format import PackedModel, Value, read, to_bytes, validate
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
    values = {"x": Value("f32", (1024, 1, 1)), "y": Value("f32", (65536, 1, 1))}
    tensors = {"weight": zeros(65536, 1024)}
    for _ in range(4):
        work.add("step", step, values, tensors)
    with pytest.raises(FormatError, match=r"step: a program may have 2\^28 weights"):
        work.add("step", step, values, tensors)


def test_binary_weights_of_few_channels_count_as_bytes() -> None:
    step = BinaryConv2d("x", "w", None, (3, 3), (1, 1), (0,) * 4, (1, 1), (STAGE,))
    values = {"x": Value("bits", (9, 3, 3)), "y": Value("f32", (5, 1, 1))}
    work = Work()
    work.add("step", step, values, {"w": zeros(5, 2)})
    moved = 9 * 16 + 5 * 16
    assert work == Work(2, 5 * 9 * 2, 9 * 9, positions=9, work=9 * 5 * 64 + moved * 256)


def test_eight_bit_convolutions_count_like_float_ones_at_half_the_work() -> None:
    geometry = ((1, 1), (0,) * 4, (1, 1), "none")
    values = {"x": Value("f32", (9, 3, 3)), "y": Value("f32", (5, 2, 2))}
    tensors = {"w": zeros(5, 9, 2, 2)}
    works = [Work(), Work()]
    works[0].add("step", QuantizedConv2d("x", "y", "w", *"oszz", *geometry), values, tensors)
    works[1].add("step", Conv2d("x", "y", "w", None, *geometry), values, tensors)
    moved = (9 * 16 + 5 * 16) * 256
    assert works[0] == Work(2, 180, 9 * 4, positions=16, work=16 * 45 * 8 + moved)
    assert works[1] == Work(2, 180, 9 * 4, positions=16, work=16 * 45 * 16 + moved)


def test_large_windows_on_many_pixels() -> None:
    b = builder(1, 512, 512)
    b.pool(MaxPool2d, "image", kernel=255, padding=127)
    with pytest.raises(FormatError, match=r"step 0 .*: a program may have 2\^28 positions"):
        validate(finished(b))


def test_work_beyond_all_patience() -> None:
    step = Conv2d("x", "y", "w", None, (1, 1), (4,) * 4, (1, 1), "none")
    value = Value("f32", (1024, 128, 128))
    tensors, work = {"w": zeros(1024, 1024, 8, 8)}, Work()
    values = {"x": value, "y": value}
    work.work = 2**40 - 1
    with pytest.raises(FormatError, match=r"step: a program may have 2\^40 units of work"):
        work.add("step", step, values, tensors)


def test_what_is_only_read_is_work() -> None:
    """26 kB of pools of one value took 12 seconds an image, as many as a file may have hours."""
    b = builder(4, 4096, 4096)
    for _ in range(64):
        b.global_avg_pool("image")
    with pytest.raises(FormatError, match=r"step 63 .*: a program may have 2\^40 units of work"):
        validate(finished(b))


def test_a_value_that_many_stages_make_and_read_is_a_use_each() -> None:
    stages = tuple(ScaleStage(str(i), "s", "none", "a") for i in range(2**16))
    step = BinaryConv2d("x", "w", None, (1, 1), (1, 1), (0,) * 4, (1, 1), stages)
    values = {"x": Value("bits", (1, 1, 1)), "a": Value("f32", (1, 1, 1))}
    values |= {stage.output: Value("f32", (1, 1, 1)) for stage in stages}
    with pytest.raises(FormatError, match=r"step: a program may have 2\^17 uses of values"):
        Work().add("step", step, values, {"w": zeros(1, 1)})


def test_channels_of_windows_are_terms() -> None:
    """The reference takes them one after the other, however few the pixels are."""
    step = MaxPool2d("x", "y", (256, 256), (1, 1), (0,) * 4)
    values = {"x": Value("f32", (256, 256, 256)), "y": Value("f32", (256, 1, 1))}
    work = Work()
    work.add("step", step, values, {})
    assert work.terms == 2**24
    with pytest.raises(FormatError, match=r"step: a program may have 2\^24 terms"):
        work.add("step", step, values, {})


def test_a_header_that_takes_long_to_read_is_not() -> None:
    blob = to_bytes(finished(builder(1, 2, 2)))
    text = blob[8 : 8 + int.from_bytes(blob[:8], "little")]
    spaces = text + b" " * (2**24 + 8 - len(text))
    longer = len(spaces).to_bytes(8, "little") + spaces + blob[8 + len(text) :]
    with pytest.raises(FormatError, match="header: at most 16777216 bytes are allowed, got 16777"):
        read(longer)


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
