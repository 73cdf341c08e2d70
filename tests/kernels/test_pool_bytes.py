"""Max pools right behind a binary convolution, which the native backend makes of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.program_builder import Builder
from support.random_programs import random_images

from bnas_deploy.engine.native import backend as native
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.steps import MaxPool2d

ABLE = [name for name, missing in native.isas().items() if not missing]

# Rows that fill vectors and rows that do not; tiles of outputs that are full and that are not;
# counts that fit a byte at once and in parts.
CASES: dict[str, dict[str, Any]] = {
    "one vector": {"channels": 16, "outputs": 8, "size": (8, 8)},
    "full rows": {"channels": 48, "outputs": 24, "size": (32, 32)},
    "longer than a vector": {"channels": 8, "outputs": 12, "size": (5, 66)},
    "odd height": {"channels": 24, "outputs": 5, "size": (7, 14)},
    "one row": {"channels": 8, "outputs": 8, "size": (1, 50)},
    "many channels": {"channels": 288, "outputs": 20, "size": (16, 16)},
    "wide kernel": {"channels": 24, "outputs": 16, "size": (12, 10), "kernel": 3, "padding": 1},
}


def pooled(channels: int, outputs: int, size: tuple[int, int], **window: int) -> Builder:
    b = Builder(np.random.default_rng(outputs), (channels, *size))
    (x,) = b.binary_conv2d(
        b.binarize("image"), outputs, stages=("scale_relu",), **{"kernel": 1, "padding": 0} | window
    )
    stage: Any = b.steps[-1]
    scale = stage.stages[0].scale
    b.tensors[scale] = np.abs(b.tensors[scale])  # a bytewise stage needs scales of one sign
    b.pool(MaxPool2d, x, kernel=3, stride=2, padding=1)
    return b


def kernels_of(model: PackedModel) -> list[str]:
    return [use.kernel for use in NativeRunner(model).kernels()]


@pytest.mark.parametrize("case", CASES)
def test_runs_and_traces_are_like_the_references(case: str) -> None:
    model = pooled(**CASES[case]).finish()
    images = random_images(np.random.default_rng(1), model, 3)
    reference = ReferenceRunner(model)
    want, traced = reference.run(images), reference.trace(images)
    assert "pool_bytes" in kernels_of(model)
    for isa in ABLE:
        for threads in (1, 2):
            got = NativeRunner(model, isa=isa, threads=threads).run(images[:1])
            assert np.array_equal(got.view(np.uint8), want[:1].view(np.uint8)), (isa, threads)
        got_traced = NativeRunner(model, isa=isa).trace(images)
        for name, value in traced.items():
            assert np.array_equal(
                got_traced[name].view(np.uint8), np.ascontiguousarray(value).view(np.uint8)
            ), f"{isa} {name}"


def test_every_pixel_can_be_the_greatest_one() -> None:
    """Of the logits little would show: the pool is what the program ends in."""
    b = pooled(channels=16, outputs=8, size=(6, 4))
    model = b.model(b.linear(b.unread()[0], 48))
    rng = np.random.default_rng(2)
    images = random_images(rng, model, 40)
    want = ReferenceRunner(model).run(images)
    for isa in ABLE:
        assert np.array_equal(NativeRunner(model, isa=isa).run(images), want), isa


def test_floats_that_somebody_else_reads_stay_floats() -> None:
    b = pooled(channels=16, outputs=8, size=(8, 8))
    stage: Any = b.steps[-2]
    b.global_avg_pool(stage.stages[0].output)
    model = b.finish()
    assert "pool_bytes" not in kernels_of(model)
    images = random_images(np.random.default_rng(3), model, 2)
    np.testing.assert_array_equal(
        NativeRunner(model).run(images), ReferenceRunner(model).run(images)
    )
