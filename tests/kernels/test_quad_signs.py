"""Signs of an 8-bit convolution whose floats nobody asks for, which come from its sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.program_builder import Builder

from bnas_deploy.engine.native import backend as native
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format.program import PackedModel

ABLE = [name for name, missing in native.isas().items() if not missing]
SIGNS = "quantized_conv/signs"
COMPARES_SUMS = [isa for isa in ABLE if isa in ("avx512_bitalg", "avx512bw")]

# A stem with free bytes of quads and others; planes of bits that are full and that are not; vectors
# of pixels that are not full, one alone and in pairs.
CASES: dict[str, dict[str, Any]] = {
    "stem": {"channels": 3, "outputs": 24, "size": (8, 12), "ways": 3},
    "stem of a large stride": {"channels": 3, "outputs": 9, "size": (11, 13), "stride": 2},
    "one output": {"channels": 5, "outputs": 1, "size": (3, 3), "ways": 4},
    "many outputs": {"channels": 8, "outputs": 108, "size": (4, 8), "activation": "relu"},
    "one tap": {"channels": 20, "outputs": 30, "size": (5, 7), "kernel": 1, "padding": 0},
}


def signed(
    channels: int, outputs: int, size: tuple[int, int], ways: int = 2, **layer: Any
) -> Builder:
    b = Builder(np.random.default_rng(outputs), (channels, *size))
    x = b.quantized_conv2d("image", outputs, **layer)
    step: Any = b.steps[-1]
    b.tensors[step.scale] = np.abs(b.tensors[step.scale])
    b.tensors[step.scale][::7] = 0.0
    for _ in range(ways):
        b.binarize(x)
    return b


def kernels_of(model: PackedModel, isa: str) -> list[str]:
    return [use.kernel for use in NativeRunner(model, isa=isa).kernels()]


def images_of(model: PackedModel, count: int) -> np.ndarray:
    shape = (count, *model.program.values["image"].shape)
    return np.random.default_rng(4).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("case", CASES)
def test_runs_are_like_the_references(case: str) -> None:
    model = signed(**CASES[case]).finish(classes=50)
    images = images_of(model, 8)
    want = ReferenceRunner(model).run(images)
    for isa in ABLE:
        assert (SIGNS in kernels_of(model, isa)) == (isa in COMPARES_SUMS)
        for threads in (1, 2):
            got = NativeRunner(model, isa=isa, threads=threads).run(images)
            assert np.array_equal(got.view(np.uint8), want.view(np.uint8)), (isa, threads)


def test_thresholds_between_and_on_values_of_sums() -> None:
    """Every threshold is a value that the layer gives, or a neighbour of one."""
    b = signed(channels=3, outputs=40, size=(6, 6), ways=1, activation="relu")
    model = b.finish(classes=64)
    images = images_of(model, 4)
    given = ReferenceRunner(model).trace(images)
    layer: Any = model.program.steps[0]
    values = given[layer.output].transpose(1, 0, 2, 3).reshape(40, -1)
    threshold = np.sort(values, axis=1)[:, values.shape[1] // 2].copy()
    threshold[1::3] = np.nextafter(threshold[1::3], np.float32(np.inf))
    threshold[2::3] = np.nextafter(threshold[2::3], np.float32(-np.inf))
    signs: Any = model.program.steps[1]
    b.tensors[signs.threshold] = threshold
    moved = b.model(model.program.output)
    want = ReferenceRunner(moved).run(images)
    for isa in ABLE:
        assert np.array_equal(NativeRunner(moved, isa=isa).run(images), want), isa


@pytest.mark.parametrize("why", ["somebody reads the floats", "a scale below 0", "five ways"])
def test_other_layers_make_floats(why: str) -> None:
    b = signed(channels=3, outputs=12, size=(6, 6), ways=5 if why == "five ways" else 2)
    layer: Any = b.steps[0]
    if why == "a scale below 0":
        b.tensors[layer.scale] = -b.tensors[layer.scale]
    if why == "somebody reads the floats":
        b.global_avg_pool(layer.output)
    model = b.finish()
    images = images_of(model, 2)
    want = ReferenceRunner(model).run(images)
    for isa in ABLE:
        assert SIGNS not in kernels_of(model, isa)
        assert np.array_equal(NativeRunner(model, isa=isa).run(images), want), isa
