"""The native backend on every instruction set against the reference, bit for bit."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.program_builder import STAGE_KINDS, Builder
from support.random_programs import conv_program, random_images, random_program, step_programs

from bnas_deploy.engine.native import backend as native
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.errors import BackendError, UsageError
from bnas_deploy.format.program import PackedModel
from bnas_deploy.format.steps import AvgPool2d, MaxPool2d

ABLE = [name for name, missing in native.isas().items() if not missing]
CHANNELS = [1, 7, 8, 9, 31, 36, 64, 65, 100, 128, 249, 300]
SIZES = [1, 2, 7, 8, 9, 16, 17, 31, 33]
STEPS = dict(step_programs())


def assert_same_bits(got: np.ndarray, want: np.ndarray, name: str) -> None:
    assert got.dtype == want.dtype, name
    assert got.shape == want.shape, name
    assert np.array_equal(got.view(np.uint8), np.ascontiguousarray(want).view(np.uint8)), name


def assert_like_reference(model: PackedModel, seed: int = 0, n: int = 2) -> None:
    images = random_images(np.random.default_rng(seed), model, n)
    want = ReferenceRunner(model).trace(images)
    logits = np.ascontiguousarray(want[model.program.output].reshape(n, -1))
    for isa in ABLE:
        got = NativeRunner(model, isa=isa).trace(images)
        assert got.keys() == want.keys()
        for name in want:
            assert_same_bits(got[name], want[name], f"{isa} {name}")
        for threads in (1, 2):
            assert_same_bits(NativeRunner(model, isa=isa, threads=threads).run(images), logits, isa)


@pytest.mark.parametrize("name", STEPS)
def test_every_step_gives_the_references_bits(name: str) -> None:
    assert_like_reference(STEPS[name])


@pytest.mark.parametrize("seed", range(30))
def test_random_programs_give_the_references_bits(seed: int) -> None:
    assert_like_reference(random_program(np.random.default_rng(seed)), seed, n=3)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_random_geometries_give_the_references_bits(
    kernel: int, stride: int, dilation: int
) -> None:
    rng = np.random.default_rng([kernel, stride, dilation])
    reach = dilation * (kernel - 1) + 1
    for padding in range(5):
        h, w = (int(rng.choice([s for s in SIZES if s + 2 * padding >= reach])) for _ in range(2))
        model = conv_program(
            rng, channels=int(rng.choice(CHANNELS)), out_channels=int(rng.integers(1, 40)),
            height=h, width=w, kernel=kernel, stride=stride, dilation=dilation, padding=padding,
            stages=tuple(rng.choice(STAGE_KINDS, 2)), fold=bool(rng.integers(2)),
        )  # fmt: skip
        assert_like_reference(model, n=1)


@pytest.mark.parametrize("channels", CHANNELS)
def test_channels_around_bytes_words_and_counter_limits(channels: int) -> None:
    """At 249 channels a 1x1 convolution needs more steps than a byte can count."""
    rng = np.random.default_rng(channels)
    for kernel, outputs in itertools.product([1, 3], [1, 8, 9]):
        assert_like_reference(
            conv_program(
                rng, channels=channels, out_channels=outputs, height=5, width=13, kernel=kernel
            ),
            n=1,
        )


@pytest.mark.parametrize("size", SIZES)
def test_maps_around_vectors(size: int) -> None:
    rng = np.random.default_rng(size)
    for width in (1, 8, 64 // min(size, 8) + 1):
        model = conv_program(
            rng, channels=20, out_channels=12, height=size, width=width, stages=STAGE_KINDS
        )
        assert_like_reference(model, n=1)


@pytest.mark.parametrize("outputs", [63, 64, 65, 127, 129, 200])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (7, 7), (5, 13), (14, 14)])
def test_outputs_around_vectors_of_small_maps(outputs: int, height: int, width: int) -> None:
    rng = np.random.default_rng(outputs)
    for channels, kernel in ((20, 1), (100, 3)):
        model = conv_program(
            rng, channels=channels, out_channels=outputs, height=height, width=width,
            kernel=kernel, stages=STAGE_KINDS,
        )  # fmt: skip
        assert_like_reference(model, n=1)


def test_a_dilated_kernel_larger_than_the_image() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 3, 8):
        model = conv_program(
            rng, channels=24, out_channels=24, height=size, width=size, kernel=5, dilation=2,
            stages=("threshold", "scale_relu_add"), fold=True,
        )  # fmt: skip
        assert_like_reference(model)


@pytest.mark.parametrize(("height", "width"), [(1, 3), (3, 1), (1, 70)])
def test_taps_far_outside_the_image(height: int, width: int) -> None:
    """Their addresses would lie far outside the memory, and are never formed."""
    far = 60_000
    along_x = width > height
    kernel, dilation = ((1, 3), (1, far)) if along_x else ((3, 1), (far, 1))
    padding = (0, far, 0, far) if along_x else (far, 0, far, 0)
    b = Builder(np.random.default_rng(0), (9, height, width))
    window = {"kernel": kernel, "dilation": dilation, "padding": padding}
    b.conv2d("image", 7, **window)
    b.binary_conv2d(b.binarize("image"), 9, stages=("threshold", "scale"), fold=True, **window)
    assert_like_reference(b.finish())


@pytest.mark.parametrize("cls", [MaxPool2d, AvgPool2d])
def test_a_pool_far_larger_than_the_image(cls: type) -> None:
    b = Builder(np.random.default_rng(0), (3, 1, 5))
    b.pool(cls, "image", kernel=(1, 5000), padding=(0, 4999, 0, 2))
    assert_like_reference(b.finish())


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_pool_of_bits_far_larger_than_the_image(stride: int) -> None:
    b = Builder(np.random.default_rng(0), (11, 2, 5))
    bits = b.binarize("image")
    b.binary_max_pool2d(bits, kernel=(1, 5000), padding=(0, 4999, 0, 2), stride=stride)
    b.binary_max_pool2d(bits, kernel=(70, 3), padding=(69, 1, 5, 2), stride=stride)
    assert_like_reference(b.finish())


@pytest.mark.parametrize("width", [31, 32, 33, 63, 64, 65, 127, 130])
def test_pools_of_bits_around_vectors(width: int) -> None:
    b = Builder(np.random.default_rng(width), (17, 5, width))
    bits = b.binarize("image")
    for kernel, stride, padding in ((2, 2, 0), (3, 2, 1), (3, 1, 1), (4, 3, (1, 2, 3, 3))):
        b.binary_max_pool2d(bits, kernel=kernel, stride=stride, padding=padding)
    assert_like_reference(b.finish(), n=1)


@pytest.mark.parametrize("kernel", [8, 9])
def test_as_many_phases_as_are_split_and_more(kernel: int) -> None:
    b = Builder(np.random.default_rng(0), (3, 4 * kernel, 2 * kernel))
    window = {"kernel": kernel, "stride": kernel, "padding": 0}
    b.conv2d("image", 5, **window)
    b.pool(MaxPool2d, "image", **window)
    b.binary_conv2d(b.binarize("image"), 9, **window)
    assert_like_reference(b.finish())


@pytest.mark.parametrize("isa", ABLE)
def test_the_forced_isa_runs(isa: str) -> None:
    runner = NativeRunner(STEPS["relu-3x5x7"], isa=isa)
    assert runner.isa == isa
    assert runner._model.isa == isa


def test_the_best_isa_is_the_default() -> None:
    assert NativeRunner(STEPS["relu-3x5x7"]).isa == native.best_isa() == ABLE[0]
    assert list(native.isas())[-1] == ABLE[-1] == "scalar"


def test_an_unknown_isa_is_refused_with_the_choices() -> None:
    with pytest.raises(BackendError, match=r"unknown instruction set 'mmx'; choose .*scalar"):
        NativeRunner(STEPS["relu-3x5x7"], isa="mmx")


def test_the_environment_chooses_an_isa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNAS_ISA", "scalar")
    assert NativeRunner(STEPS["relu-3x5x7"]).isa == "scalar"
    assert NativeRunner(STEPS["relu-3x5x7"], isa=ABLE[0]).isa == ABLE[0]
    monkeypatch.setenv("BNAS_ISA", "mmx")
    with pytest.raises(BackendError, match=r"unknown .*'mmx'; choose .*\(isa from BNAS_ISA\)"):
        NativeRunner(STEPS["relu-3x5x7"])


def test_a_dot_product_beyond_16_bits_is_refused() -> None:
    rng = np.random.default_rng(0)
    model = conv_program(rng, channels=3641, out_channels=1, height=1, width=1)
    with pytest.raises(BackendError, match="16 bits; this one can reach 32769"):
        NativeRunner(model)


def test_the_largest_dot_product_that_fits() -> None:
    rng = np.random.default_rng(0)
    assert_like_reference(conv_program(rng, channels=3640, out_channels=2, height=2, width=1), n=1)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_python_threads_may_share_a_runner(threads: int) -> None:
    model = random_program(np.random.default_rng(7))
    runner = NativeRunner(model, threads=threads)
    rng = np.random.default_rng(8)
    batches = [random_images(rng, model, n) for n in (1, 2, 5, 9) * 3]
    want = [ReferenceRunner(model).run(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for got, logits in zip(pool.map(runner.run, batches), want, strict=True):
                assert_same_bits(got, logits, "logits")


def test_runs_at_the_same_time_with_different_numbers_of_threads() -> None:
    model = random_program(np.random.default_rng(7))
    run = NativeRunner(model)._model.run
    images = random_images(np.random.default_rng(8), model, 6)
    want = ReferenceRunner(model).run(images)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(run, [images] * 40, [1, 5, 2, 9] * 10):
            assert_same_bits(got, want, "logits")


def test_an_empty_batch_and_more_threads_than_images() -> None:
    model = STEPS["linear-3x5x7"]
    runner = NativeRunner(model, threads=8)
    images = random_images(np.random.default_rng(0), model, 2)
    assert runner.run(images[:0]).shape == (0, 4)
    assert {v.shape[0] for v in runner.trace(images[:0]).values()} == {0}
    assert_same_bits(runner.run(images), ReferenceRunner(model).run(images), "logits")


def test_images_of_another_shape_or_dtype_are_refused() -> None:
    runner = NativeRunner(STEPS["relu-3x5x7"])
    with pytest.raises(UsageError, match=r"\(N, 3, 5, 7\)"):
        runner.run(np.zeros((1, 3, 7, 5), np.float32))
    with pytest.raises(UsageError, match="float64"):
        runner.run(np.zeros((1, 3, 5, 7)))  # type: ignore[arg-type]


def test_profile_names_every_step() -> None:
    model = random_program(np.random.default_rng(3))
    images = random_images(np.random.default_rng(0), model, 2)
    times = NativeRunner(model).profile(images, 3)
    assert [(i, op) for i, op, _ in times] == [(i, s.OP) for i, s in enumerate(model.program.steps)]
    assert all(seconds >= 0 for _, _, seconds in times)


def test_kernels_are_named_for_every_step() -> None:
    b = Builder(np.random.default_rng(0), (20, 8, 8))
    bits = b.binarize("image")
    b.binary_conv2d(bits, 8, kernel=1, padding=0)
    b.binary_conv2d(bits, 8, kernel=3, padding=1)
    b.binary_conv2d(bits, 8, kernel=3, padding=0)
    b.conv2d("image", 8, kernel=3, stride=2, padding=1)
    model = b.finish()
    runner = NativeRunner(model)
    uses = runner.kernels()
    binary = [use for use in uses if use.kernel.startswith("binary_conv/")]
    assert [use.step for use in binary[:3]] == [1, 2, 3]
    assert [use.gather for use in binary[:3]] == ["direct", "shifted", "rows"]
    assert all(use.tile and use.tile.startswith("8x") for use in binary)
    assert [use.kernel for use in uses if use.step == 4] == ["split_phases", "conv2d"]
    named = {i for i, s in enumerate(model.program.steps) if s.OP != "concat"}
    assert {use.step for use in uses} == named  # parts of a concat are made where they belong
    assert [use.step for use in uses] == sorted(use.step for use in uses)


def test_a_constant_is_written_once() -> None:
    b = Builder(np.random.default_rng(0), (3, 4, 4))
    b.add_slice("image", b.relu(b.constant(3, 4, 4)), 0)  # relu may not work in place here
    model = b.finish()
    runner = NativeRunner(model)
    images = random_images(np.random.default_rng(0), model, 3)
    expected = ReferenceRunner(model).run(images)
    for _ in range(2):
        assert_same_bits(runner.run(images), expected, "logits")
    (constant,) = (i for i, s in enumerate(model.program.steps) if s.OP == "constant")
    assert constant not in {use.step for use in runner.kernels()}


def test_a_copy_that_is_not_made_has_no_kernel() -> None:
    b = Builder(np.random.default_rng(0), (3, 4, 4))
    b.add_slice(b.relu("image"), b.relu("image"), 0)
    runner = NativeRunner(b.finish())
    assert [use.kernel for use in runner.kernels() if use.step == 2] == ["add_slice"]


@pytest.mark.parametrize("isa", ABLE)
def test_the_limit_is_measured(isa: str) -> None:
    limit = NativeRunner(STEPS["relu-3x5x7"], isa=isa).limit()
    assert limit.binary_macs_per_second > 0
    if limit.cycles_per_second is not None:
        # Nothing counts more than the bits of four vectors of 512 in a cycle.
        assert 0 < limit.binary_macs_per_second / limit.cycles_per_second <= 4 * 512


def test_memory_is_shared_between_values() -> None:
    """A chain of ten steps needs room for no more than the input of one and its output."""
    b = Builder(np.random.default_rng(0), (8, 16, 16))
    x = "image"
    for _ in range(10):
        (x,) = b.binary_conv2d(b.binarize(x), 8)
    memory = NativeRunner(b.finish()).memory()
    assert set(memory) == {"weights", "tables", "arena", "scratch", "context"}
    assert memory["context"] >= memory["arena"] + memory["scratch"]
    one = 8 * 16 * 16 * 4
    assert one < memory["arena"] <= 2 * one + 1024
