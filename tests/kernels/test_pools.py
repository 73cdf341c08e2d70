"""Pools that halve an image, in every way the native backend goes about them."""

from __future__ import annotations

import numpy as np
import pytest
from support.program_builder import Builder

from bnas_deploy.engine.native import backend as native
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.steps import AvgPool2d, MaxPool2d

ABLE = [name for name, missing in native.isas().items() if not missing]
WIDTHS = [4, 5, 8, 14, 16, 17, 31, 32, 33, 64, 66]


def zeros_of_both_signs(model: PackedModel) -> np.ndarray:
    """Few levels, so that a window often has several greatest values."""
    rng = np.random.default_rng(7)
    levels = np.array([0.0, -0.0, -1.0, 0.5], np.float32)
    return rng.choice(levels, (2, *model.program.values["image"].shape))


def assert_like_reference(model: PackedModel) -> None:
    images = zeros_of_both_signs(model)
    want = ReferenceRunner(model).trace(images)
    for isa in ABLE:
        got = NativeRunner(model, isa=isa).trace(images)
        for name, value in want.items():
            assert np.array_equal(got[name].view(np.uint8), value.view(np.uint8)), f"{isa} {name}"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(("kernel", "padding"), [(2, 0), (3, 0), (3, 1), (3, 2)])
def test_max_pools(kernel: int, padding: int, relu: bool, width: int) -> None:
    b = Builder(np.random.default_rng(0), (3, 7, width))
    x = b.relu("image") if relu else "image"
    b.pool(MaxPool2d, x, kernel=kernel, stride=2, padding=padding)
    assert_like_reference(b.finish())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("kernel", "padding"), [(2, 0), (2, 1), (3, 1), (4, 0)])
def test_average_pools(kernel: int, padding: int, width: int) -> None:
    b = Builder(np.random.default_rng(0), (3, 8, width))
    b.pool(AvgPool2d, "image", kernel=kernel, stride=2, padding=padding)
    assert_like_reference(b.finish())
