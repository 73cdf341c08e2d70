"""Infinities, NaN, zeros of both signs and subnormals: the native backend keeps to the reference.

Not a test of ordinary images (test_native.py).
"""

from __future__ import annotations

import ctypes
import platform

import numpy as np
import pytest
from support.program_builder import Builder
from support.random_programs import random_program, step_programs

from bnas_deploy.engine.native import backend as native
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format.program import PackedModel

ABLE = [name for name, missing in native.isas().items() if not missing]
STEPS = dict(step_programs())
SPECIAL = np.array(
    [0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 1e-45, -1e-45, 1e-39, -3e38, 3e38, 1.0],
    np.float32,
)
FE_UPWARD = {"x86_64": 0x800, "aarch64": 0x400000}.get(platform.machine())


def special_images(model: PackedModel, share: float) -> np.ndarray:
    rng = np.random.default_rng(5)
    shape = (2, *model.program.values["image"].shape)
    ordinary = rng.standard_normal(shape, dtype=np.float32)
    return np.where(rng.random(shape) < share, rng.choice(SPECIAL, shape), ordinary)


def one_nan(x: np.ndarray) -> np.ndarray:
    """The bits, with every NaN the same: docs/format.md leaves its sign and payload open."""
    if x.dtype != np.float32:
        return x
    return np.where(np.isnan(x), np.float32(np.nan), x).view(np.uint32)


def assert_like_reference(model: PackedModel, images: np.ndarray) -> None:
    want = ReferenceRunner(model).trace(images)
    for isa in ABLE:
        got = NativeRunner(model, isa=isa).trace(images)
        for name in want:
            assert np.array_equal(one_nan(got[name]), one_nan(want[name])), f"{isa} {name}"


@pytest.mark.parametrize("share", [0.02, 0.5])
@pytest.mark.parametrize("name", STEPS)
def test_special_values_through_every_step(name: str, share: float) -> None:
    assert_like_reference(STEPS[name], special_images(STEPS[name], share))


@pytest.mark.parametrize("seed", range(5))
def test_special_values_through_random_programs(seed: int) -> None:
    model = random_program(np.random.default_rng(seed))
    assert_like_reference(model, special_images(model, 0.02))


@pytest.mark.parametrize("padding", [0, 1])
def test_subnormal_sums_are_kept(padding: int) -> None:
    b = Builder(np.random.default_rng(0), (3, 5, 9))
    b.conv2d("image", 4, padding=padding, bias=False)
    model = b.finish()
    images = special_images(model, 0.0) * np.float32(1e-39)
    values = ReferenceRunner(model).trace(images)["v1"]
    assert np.any((values != 0) & (np.abs(values) < np.finfo(np.float32).tiny))
    assert_like_reference(model, images)


def test_the_callers_rounding_does_not_matter_and_is_left_as_it_was() -> None:
    if FE_UPWARD is None or platform.system() != "Linux":
        pytest.skip("the number of the rounding mode is known for Linux on two processors only")
    model = random_program(np.random.default_rng(1))
    images = special_images(model, 0.0)
    want = ReferenceRunner(model).run(images)
    runner = NativeRunner(model, threads=2)
    c = ctypes.CDLL(None)
    before = c.fegetround()
    c.fesetround(FE_UPWARD)
    try:
        got, after = runner.run(images), c.fegetround()
    finally:
        c.fesetround(before)
    assert after == FE_UPWARD
    assert np.array_equal(got, want)


def test_a_caller_that_flushes_subnormals_does_not_matter() -> None:
    torch = pytest.importorskip("torch")
    b = Builder(np.random.default_rng(0), (3, 5, 9))
    b.conv2d(b.relu("image"), 4, bias=False)
    model = b.finish()
    images = special_images(model, 0.0) * np.float32(1e-39)
    want = ReferenceRunner(model).trace(images)
    runners = [NativeRunner(model, isa=isa) for isa in ABLE]
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormals")
    try:
        traces = [runner.trace(images) for runner in runners]
    finally:
        torch.set_flush_denormal(False)
    for trace in traces:
        assert all(np.array_equal(one_nan(trace[name]), one_nan(want[name])) for name in want)
