"""Binary convolutions in every layout of the native backend: chosen as said, and the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.program_builder import STAGE_KINDS
from support.random_programs import conv_program, random_images

from bnas_deploy.engine.native import backend as native
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.engine.reference.backend import ReferenceRunner

ABLE = [name for name, missing in native.isas().items() if not missing]
COUNTS_VECTORS = [isa for isa in ABLE if isa in ("avx512_amx", "avx512_bitalg")]

# Channels and outputs around words and vectors; rows of one band and of several; borders of every
# kind, a kernel that reaches beyond the image on all sides among them.
WIDE: dict[str, dict[str, Any]] = {
    "around": {"channels": 128, "out_channels": 64, "height": 7, "width": 7},
    "two words and some": {"channels": 70, "out_channels": 130, "height": 8, "width": 8},
    "one output": {"channels": 512, "out_channels": 1, "height": 3, "width": 3},
    "several bands": {"channels": 96, "out_channels": 80, "height": 13, "width": 11},
    "a row longer than a band": {"channels": 256, "out_channels": 17, "height": 2, "width": 70},
    "stride": {
        "channels": 160, "out_channels": 64, "height": 9, "width": 12, "stride": 2, "padding": 1,
    },
    "dilation": {"channels": 128, "out_channels": 48, "height": 7, "width": 9, "dilation": 3},
    "uneven padding": {
        "channels": 128, "out_channels": 32, "height": 6, "width": 5, "padding": (2, 0, 1, 3),
    },
    "hardly any tap inside": {
        "channels": 128, "out_channels": 64, "height": 2, "width": 2, "dilation": 5, "padding": 5,
    },
    "no tap inside": {
        "channels": 64, "out_channels": 64, "height": 2, "width": 2, "padding": 5,
    },
    "one tap": {"channels": 544, "out_channels": 136, "height": 5, "width": 5, "kernel": 1},
}  # fmt: skip


@pytest.mark.parametrize("case", WIDE)
@pytest.mark.parametrize("fold", [False, True])
def test_wide_layers_give_the_references_bits(case: str, fold: bool) -> None:
    rng = np.random.default_rng(len(case))
    model = conv_program(rng, **WIDE[case], stages=STAGE_KINDS, fold=fold)
    images = random_images(rng, model, 2)
    want = ReferenceRunner(model).trace(images)
    for isa in ABLE:
        got = NativeRunner(model, isa=isa).trace(images)
        for name, value in want.items():
            assert np.array_equal(
                got[name].view(np.uint8), np.ascontiguousarray(value).view(np.uint8)
            ), f"{isa} {name}"


@pytest.mark.parametrize("case", WIDE)
def test_threads_share_wide_layers(case: str) -> None:
    rng = np.random.default_rng(len(case))
    model = conv_program(rng, **WIDE[case], stages=STAGE_KINDS)
    images = random_images(rng, model, 1)
    for isa in ABLE:
        one = NativeRunner(model, isa=isa).run(images)
        assert np.array_equal(NativeRunner(model, isa=isa, threads=2).run(images), one)


def layout(isa: str, **shape: Any) -> str:
    """The kernel of the binary convolution that reads the image's signs."""
    model = conv_program(np.random.default_rng(0), **shape)
    uses = NativeRunner(model, isa=isa).kernels()
    return next(use.kernel for use in uses if use.kernel.startswith("binary_conv/"))


@pytest.mark.skipif(not COUNTS_VECTORS, reason="no vector popcount here")
@pytest.mark.parametrize("isa", COUNTS_VECTORS)
def test_wide_layers_go_from_pixel_to_pixel(isa: str) -> None:
    wide = {"channels": 256, "out_channels": 256, "height": 14, "width": 14}
    assert layout(isa, **wide) == "binary_conv/pixels"
    narrow = {"channels": 24, "out_channels": 24, "height": 32, "width": 32}
    assert layout(isa, **narrow) == "binary_conv/bytes"


@pytest.mark.parametrize("isa", [isa for isa in ABLE if isa not in COUNTS_VECTORS])
def test_other_instruction_sets_have_planes(isa: str) -> None:
    wide = {"channels": 256, "out_channels": 256, "height": 14, "width": 14}
    assert layout(isa, **wide) != "binary_conv/pixels"
