"""Tests that the Numba backend gives the reference's bits in every value."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from support.program_builder import Builder
from support.random_programs import conv_program, random_images, random_program, step_programs

from bnas_deploy.bits import pack_rows
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.errors import UsageError
from bnas_deploy.format import PackedModel
from bnas_deploy.format.steps import BinaryConv2d, Constant, MaxPool2d, ThresholdStage

pytest.importorskip("numba", reason="the numba backend needs numba")

from bnas_deploy.engine.numba.backend import NumbaRunner
from bnas_deploy.engine.numba.plan import make_plan

WIDTHS = [
    1,
    7,
    8,
    9,
    15,
    16,
    17,
    31,
    32,
    33,
]  # around a byte of channels, around a vector of floats


def bits_of(x: np.ndarray) -> np.ndarray:
    return x.view(np.uint32) if x.dtype == np.float32 else x


def check(m: PackedModel, *, n: int = 2) -> None:
    images = random_images(np.random.default_rng(0), m, n)
    expected = ReferenceRunner(m).trace(images)
    runner = NumbaRunner(m)
    got = runner.trace(images)
    assert list(got) == list(m.program.values)
    for name, value in expected.items():
        assert got[name].dtype == value.dtype, name
        assert np.array_equal(bits_of(got[name]), bits_of(value)), name
    # Buffers are shared between values here, and not in a trace.
    assert np.array_equal(runner.run(images), expected[m.program.output][:, :, 0, 0])


def test_a_constant_is_written_once_a_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    b = Builder(np.random.default_rng(0), (3, 4, 4))
    b.relu(b.relu("image"))  # leaves a buffer that a constant would fit
    b.add_slice("image", b.relu(b.constant(3, 4, 4)), 0)  # relu may not work in place here
    m = b.finish()
    images = random_images(np.random.default_rng(0), m, 2)
    (step,) = (s for s in m.program.steps if isinstance(s, Constant))
    value, copied = m.tensors[step.value].reshape(3, 16), []
    monkeypatch.setattr(np, "copyto", lambda to, x, f=np.copyto: (copied.append(x), f(to, x)))
    runner = NumbaRunner(m)
    got = np.concatenate([runner.run(images), runner.run(images)])
    expected = ReferenceRunner(m).run(images)
    assert np.array_equal(bits_of(got), bits_of(np.concatenate([expected] * 2)))
    assert sum(np.array_equal(x, value) for x in copied) == 1


@pytest.mark.parametrize("name_model", list(step_programs(1)), ids=lambda nm: nm[0])
def test_steps(name_model: tuple[str, PackedModel]) -> None:
    check(name_model[1])


@pytest.mark.parametrize(
    "m", [m for name, m in step_programs(2) if name.startswith("quantized")][::5]
)
def test_special_floats_are_quantized_as_by_the_reference(m: PackedModel) -> None:
    rng = np.random.default_rng(0)
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3e38, 0.5], np.float32)
    images = rng.choice(special, (2, *m.program.values["image"].shape))
    name = next(s.output for s in m.program.steps if s.OP == "quantized_conv2d")
    got, want = NumbaRunner(m).trace(images)[name], ReferenceRunner(m).trace(images)[name]
    assert np.array_equal(bits_of(got), bits_of(want))


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed: int) -> None:
    check(random_program(np.random.default_rng(seed), steps=10), n=3)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("padding", range(5))
def test_geometries(kernel: int, stride: int, dilation: int, padding: int) -> None:
    rng = np.random.default_rng([kernel, stride, dilation, padding])
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    for size in (least, least + 1, 8 if least <= 8 else 17):
        check(
            conv_program(
                rng, channels=int(rng.choice([1, 8, 65, 300])),
                out_channels=int(rng.integers(1, 20)), height=size,
                width=max(least, int(rng.choice(WIDTHS))), kernel=kernel, stride=stride,
                dilation=dilation, padding=padding, stages=("threshold", "scale_add"), fold=True,
            )
        )  # fmt: skip


def test_longest_byte_sums() -> None:
    # All weights negative and all inputs positive: 31 bytes of 8 ones is what a lane can hold.
    for channels in (240, 247, 248, 249, 256, 1000):
        m = conv_program(
            np.random.default_rng(0), channels=channels, out_channels=3, height=5, width=5,
            stages=("scale",),
        )  # fmt: skip
        m.tensors["t0"][:] = -np.inf
        m.tensors["t1"][:] = 0
        ones = np.ones((3, 9 * channels), bool)
        weight = next(s.weight for s in m.program.steps if s.OP == "binary_conv2d")
        m.tensors[weight] = pack_rows(ones)
        check(m)


@pytest.mark.parametrize("channels", [8, 28, 29, 57, 120, 7282])
@pytest.mark.parametrize("kind", ["even", "odd", "always", "never"])
def test_rooms_of_every_width(channels: int, kind: str) -> None:
    # 9 * 28 = 252 fits a byte, 9 * 29 = 261 does not; 9 * 7282 = 65538 fits no 16 bits.
    m = conv_program(
        np.random.default_rng(channels), channels=channels, out_channels=13, height=9, width=15,
        stages=("threshold", "scale", "scale_add"), fold=kind == "odd",
    )  # fmt: skip
    limits = {"always": -(2**31), "never": 2**31 - 1}
    stages = [t for s in m.program.steps if isinstance(s, BinaryConv2d) for t in s.stages]
    thresholds = [t.threshold for t in stages if isinstance(t, ThresholdStage)]
    assert thresholds
    for name in thresholds if kind in limits else []:
        m.tensors[name][:] = limits[kind]
    check(m, n=1)


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_maxima_of_signed_zeros_and_nan(kernel: int, stride: int) -> None:
    b = Builder(np.random.default_rng(0), (9, 7, 11))
    b.pool(MaxPool2d, "image", kernel=kernel, stride=stride)
    m = b.finish()
    rng = np.random.default_rng([kernel, stride])
    images = rng.choice(np.array([0.0, -0.0, np.nan, -np.inf], np.float32), (2, 9, 7, 11))
    name = next(s.output for s in m.program.steps if s.OP == "max_pool2d")
    got, want = NumbaRunner(m).trace(images)[name], ReferenceRunner(m).trace(images)[name]
    assert np.array_equal(bits_of(got), bits_of(want))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_threads_change_nothing(threads: int, n: int) -> None:
    m = random_program(np.random.default_rng(3))
    images = random_images(np.random.default_rng(0), m, n)
    logits = NumbaRunner(m, threads=threads).run(images)
    assert logits.shape == (n, 4)
    assert np.array_equal(logits, ReferenceRunner(m).run(images))


def test_one_runner_in_many_threads() -> None:
    m = random_program(np.random.default_rng(4))
    runner = NumbaRunner(m)
    batches = [random_images(np.random.default_rng(i), m, 3) for i in range(16)]
    expected = [ReferenceRunner(m).run(b) for b in batches]
    with ThreadPoolExecutor(4) as pool:
        for got, want in zip(pool.map(runner.run, batches), expected, strict=True):
            assert np.array_equal(got, want)


def test_profile_and_errors() -> None:
    m = random_program(np.random.default_rng(5))
    runner = NumbaRunner(m)
    x = random_images(np.random.default_rng(0), m, 2)
    assert [i for i, _, _ in runner.profile(x, 2)] == list(range(len(m.program.steps)))
    assert runner.isa is not None
    assert runner.isa.startswith("llvm:")
    with pytest.raises(UsageError, match="float32"):
        runner.run(x.astype(np.float64))


def test_buffers_are_used_again() -> None:
    m = random_program(np.random.default_rng(6), steps=20)
    shared, own = make_plan(m.program), make_plan(m.program, keep=True)
    assert len(own.buffers) == len(m.program.values)
    assert len(shared.buffers) < len(own.buffers)


SCRIPT = """
import numpy as np
from support.program_builder import Builder
from support.random_programs import random_images
from bnas_deploy.engine.numba.kernels import binary as binary_kernels
from bnas_deploy.engine.numba.kernels import floats as float_kernels
from bnas_deploy.engine.numba.kernels import quantized as quantized_kernels
from bnas_deploy.engine.numba.backend import NumbaRunner
b = Builder(np.random.default_rng(0), (9, 6, 5))
b.binary_conv2d(b.binarize(b.quantized_conv2d("image", 8)), 5)
m = b.finish()
runner = NumbaRunner(m)
print(runner.run(random_images(np.random.default_rng(0), m, 1)).tobytes().hex())
kernels = binary_kernels.dots, binary_kernels.binarize, quantized_kernels.sums, float_kernels.linear
stats = [f.stats for f in kernels]
print(sum(sum(s.cache_hits.values()) for s in stats))
print(sum(sum(s.cache_misses.values()) for s in stats))
print(runner.note)
"""


def test_a_second_process_does_not_compile(tmp_path: Path) -> None:
    tests = Path(__file__).parents[2]
    path = os.pathsep.join([str(tests), str(tests.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": path}
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\n")
        for _ in range(2)
    ]
    assert outputs[0][0] == outputs[1][0]
    assert outputs[0][1:3] == ["0", "4"]  # hits, misses
    assert outputs[1][1:3] == ["4", "0"]
    assert "compiles the kernels" in outputs[0][3]
    assert outputs[1][3] == "None"
