"""Values that share memory in the native backend's plan are never overwritten before they are read.

Every case compares all values with the reference, and the logits of a plain run too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from support.program_builder import Builder
from support.random_programs import random_images

from bnas_deploy.engine.native import backend as native
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format import validate
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.steps import BinaryConv2d, ScaleStage

ABLE = [name for name, missing in native.isas().items() if not missing]
CHANNELS = 5


def adding_conv(b: Builder, bits: str, addends: list[str], o: int = CHANNELS) -> tuple[str, ...]:
    """One binary convolution with a stage for each addend, added at channel 0."""
    outputs = b.binary_conv2d(bits, o, stages=("scale",) * len(addends))
    step = b.steps[-1]
    assert isinstance(step, BinaryConv2d)
    stages: list[ScaleStage] = []
    for stage, addend in zip(step.stages, addends, strict=True):
        assert isinstance(stage, ScaleStage)
        b.values[stage.output] = b.values[addend]
        stages.append(replace(stage, addend=addend))
    b.steps[-1] = replace(step, stages=tuple(stages))
    return outputs


def addend_read_later(b: Builder) -> None:
    x = b.affine("image")
    (y,) = adding_conv(b, b.binarize(x), [x])
    b.add_slice(y, x, 0)


def addend_dies(b: Builder) -> None:
    x = b.affine("image")
    adding_conv(b, b.binarize(x), [x], o=3)


def addend_is_the_image(b: Builder) -> None:
    adding_conv(b, b.binarize("image"), ["image"])


def image_is_read_after_an_addition(b: Builder) -> None:
    (y,) = adding_conv(b, b.binarize("image"), ["image"])
    b.add_slice("image", y, 0)


def two_stages_share_an_addend(b: Builder) -> None:
    x = b.affine("image")
    adding_conv(b, b.binarize(x), [x, x])


def two_stages_share_an_addend_that_lives_on(b: Builder) -> None:
    x = b.affine("image")
    first, second = adding_conv(b, b.binarize(x), [x, x])
    b.concat(second, x, first)


def a_slice_added_to_itself(b: Builder) -> None:
    x = b.affine("image")
    b.add_slice(x, x, 0)


def the_image_added_to_itself_twice(b: Builder) -> None:
    b.add_slice(b.add_slice("image", "image", 0), "image", 0)


def concat_of_one_value_twice(b: Builder) -> None:
    x = b.relu("image")
    b.add_slice(b.concat(x, x), x, 3)


def concat_of_concats(b: Builder) -> None:
    x, y, z = b.affine("image"), b.affine("image"), b.affine("image")
    inner = b.concat(x, y)
    b.relu(inner)
    b.add_slice(b.concat(z, b.concat(inner, b.affine("image"))), x, 4)


def part_of_a_concat_made_in_place(b: Builder) -> None:
    x = b.affine("image")
    (y,) = adding_conv(b, b.binarize(x), [x])
    whole = b.concat(b.relu(b.affine("image")), y)
    b.add_slice(whole, b.affine(whole), 0)


def parts_of_two_concats(b: Builder) -> None:
    x, y = b.affine("image"), b.affine("image")
    b.concat(b.relu(b.concat(x, y)), b.concat(y, x))


def channels_selected_twice(b: Builder) -> None:
    x = b.select_channels("image", [4, 4, -1, 0, 4, -1, 2])
    b.add_slice(x, "image", 2)


def chain_in_place(b: Builder) -> None:
    x = b.relu(b.affine(b.relu(b.affine("image"))))
    b.add_slice(b.affine(x), x, 0)


def branches_from_a_chain_in_place(b: Builder) -> None:
    x = b.affine("image")
    b.concat(b.relu(x), b.affine(x), b.relu(b.affine(x)), x)


def strided_reader_of_a_value_that_is_added_onto(b: Builder) -> None:
    x = b.affine("image")
    b.binary_conv2d(b.binarize(x), 9, stride=2)
    b.conv2d(x, 4, stride=2)
    adding_conv(b, b.binarize(b.relu(x)), [x])


CASES: list[Callable[[Builder], None]] = [
    addend_read_later,
    addend_dies,
    addend_is_the_image,
    image_is_read_after_an_addition,
    two_stages_share_an_addend,
    two_stages_share_an_addend_that_lives_on,
    a_slice_added_to_itself,
    the_image_added_to_itself_twice,
    concat_of_one_value_twice,
    concat_of_concats,
    part_of_a_concat_made_in_place,
    parts_of_two_concats,
    channels_selected_twice,
    chain_in_place,
    branches_from_a_chain_in_place,
    strided_reader_of_a_value_that_is_added_onto,
]


def assert_like_reference(model: PackedModel) -> None:
    validate(model)
    images = random_images(np.random.default_rng(1), model, 3)
    want = ReferenceRunner(model).trace(images)
    logits = want[model.program.output].reshape(3, -1)
    for isa in ABLE:
        runner = NativeRunner(model, isa=isa)
        for _ in range(2):  # the second run finds the memory as the first left it
            assert np.array_equal(runner.run(images), logits), isa
        got = runner.trace(images)
        for name in want:
            assert np.array_equal(got[name], want[name]), f"{isa} {name}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("size", [(1, 1), (6, 11)])
def test_values_that_share_memory(case: Callable[[Builder], None], size: tuple[int, int]) -> None:
    b = Builder(np.random.default_rng(0), (CHANNELS, *size))
    case(b)
    assert_like_reference(b.finish())


def test_a_program_without_steps() -> None:
    assert_like_reference(Builder(np.random.default_rng(0), (4, 1, 1)).model("image"))


def test_a_step_in_place_whose_value_is_the_output() -> None:
    b = Builder(np.random.default_rng(0), (4, 1, 1))
    x = b.affine("image")
    assert_like_reference(b.model(b.add_slice(x, x, 0)))
