"""Tests that the C library gives the bits that Python gives, on every instruction set."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
import threading
from ctypes import byref, c_void_p
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.c_library import CError, CModel, Error, isas, library, same_bits
from support.program_builder import Builder
from support.random_programs import random_images, random_program, step_programs
from support.small_models import picture_model

import bnas_deploy
from bnas_deploy.engine.native.backend import NativeRunner, best_isa
from bnas_deploy.engine.native.backend import isas as python_isas
from bnas_deploy.format import to_bytes
from bnas_deploy.format.version import needed_version, version_text
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.preprocess import normalise

MINI = Path(__file__).parents[2] / "models/bnas-mini.bnn"
PROGRAMS = dict(step_programs(seed=11))
SPECIAL = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-42, 3e38], np.float32)


def rgb(rng: np.random.Generator, n: int, height: int, width: int) -> np.ndarray:
    return rng.integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def test_the_same_instruction_sets() -> None:
    assert isas() == [name for name, missing in python_isas().items() if not missing]
    assert library().bnas_isa(len(python_isas()), None) is None


@pytest.mark.parametrize("isa", isas())
def test_the_shipped_model(isa: str) -> None:
    rng = np.random.default_rng(0)
    ours, theirs = bnas_deploy.load(MINI, isa=isa), CModel(MINI, isa)
    images = rng.standard_normal((2, *ours.input_shape), dtype=np.float32)
    assert same_bits(theirs.run(images), ours.run(images))
    pixels = rgb(rng, 1, *ours.input_shape[1:])
    assert same_bits(theirs.run_rgb(pixels), ours.run(ours.normalise(list(pixels))))


@pytest.mark.parametrize("isa", isas())
def test_every_step(isa: str) -> None:
    for name, model in PROGRAMS.items():
        images = random_images(np.random.default_rng(1), model, 2)
        want = NativeRunner(model, isa=isa).run(images)
        assert same_bits(CModel(to_bytes(model), isa).run(images), want), name


def test_random_programs_on_special_floats() -> None:
    for seed in range(30):
        rng = np.random.default_rng([seed, 2])
        model = random_program(rng)
        images = random_images(rng, model, 3)
        images[rng.random(images.shape) < 0.1] = rng.choice(SPECIAL)
        want = NativeRunner(model).run(images)
        assert same_bits(CModel(to_bytes(model)).run(images, threads=2), want)


def test_description() -> None:
    ours, theirs = bnas_deploy.load(MINI), CModel(MINI)
    d, p = theirs.description, ours.preprocessing
    assert (d.channels, d.height, d.width) == ours.input_shape
    assert theirs.labels == list(ours.labels)
    assert d.classes == len(ours.labels)
    assert d.isa.decode() == best_isa()
    assert d.format_version.decode() == version_text(needed_version(ours.packed.program))
    assert (d.resize, tuple(d.mean[:3]), tuple(d.std[:3])) == (p.resize, p.mean, p.std)
    memory = NativeRunner(ours.packed).memory()
    assert (d.weight_bytes, d.table_bytes) == (memory["weights"], memory["tables"])
    assert d.context_bytes == memory["context"]


@pytest.mark.parametrize("threads", [1, 2, 3, 40])
@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_threads_and_counts(threads: int, count: int) -> None:
    rng = np.random.default_rng(0)
    ours, theirs = bnas_deploy.load(MINI), CModel(MINI)
    pixels = rgb(rng, count, *ours.input_shape[1:])
    want = ours.run(ours.normalise(list(pixels)))
    assert same_bits(theirs.run_rgb(pixels, threads), want)
    assert same_bits(theirs.run(ours.normalise(list(pixels)), threads), want)


def test_several_threads_share_one_model() -> None:
    rng, model = np.random.default_rng(0), CModel(MINI)
    pixels = rgb(rng, 6, 32, 32)
    want, right = model.run_rgb(pixels), []

    def work(threads: int) -> None:
        right.extend(same_bits(model.run_rgb(pixels, threads), want) for _ in range(8))

    workers = [threading.Thread(target=work, args=(1 + i % 3,)) for i in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert right == [True] * 48


def test_every_byte_is_normalised_as_python_does() -> None:
    b = Builder(np.random.default_rng(0), (3, 16, 16))
    model = b.model(b.linear("image", 3 * 256, bias=False))
    weight = model.tensors[model.program.steps[0].weight]
    weight[...] = np.eye(3 * 256, dtype=np.float32)  # so that the logits are the input
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    for mean, std in [
        ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
        ((0.0, -3.0, 1e29), (1.1754943508222875e-38, 1 / 3, 1e29)),
    ]:
        object.__setattr__(model.preprocessing, "mean", mean)
        object.__setattr__(model.preprocessing, "std", std)
        with np.errstate(over="ignore"):
            want = normalise(pixels, model.preprocessing)
        assert same_bits(CModel(to_bytes(model)).run_rgb(pixels)[0], want.reshape(-1))


@pytest.mark.skipif(platform.system() != "Linux", reason="needs the C library of Linux")
def test_the_callers_rounding_does_not_matter() -> None:
    downward = {"x86_64": 0x400, "aarch64": 0x800000}[platform.machine()]
    libm, blob = ctypes.CDLL("libm.so.6"), MINI.read_bytes()
    pixels = rgb(np.random.default_rng(0), 3, 32, 32)
    want, before = CModel(blob).run_rgb(pixels), libm.fegetround()
    assert libm.fesetround(downward) == 0
    try:
        got = CModel(blob).run_rgb(pixels)
    finally:
        libm.fesetround(before)
    assert same_bits(got, want)


def test_ranks() -> None:
    b = Builder(np.random.default_rng(0), (1, 1, 1))
    packed = b.model(b.linear("image", 7))
    ours, theirs = Model(packed), CModel(to_bytes(packed))
    rows = np.random.default_rng(1).standard_normal((20, 7)).astype(np.float32)
    rows[1] = 0
    rows[2, 3:] = 2
    rows[3] = [-2000, 1000, 1000, -3000, -1000, 0, 1]
    for row in rows:
        assert theirs.rank(row, 0) == ([], [])
        for k in (1, 3, 7, 9):
            classes, probabilities = theirs.rank(row, k)
            top = ours.rank(row[None], top_k=k)[0].top
            assert classes == [guess.index for guess in top]
            np.testing.assert_allclose(
                probabilities, [guess.probability for guess in top], rtol=1e-14, atol=0
            )


def test_ranks_of_as_many_classes_as_there_may_be() -> None:
    b = Builder(np.random.default_rng(0), (1, 1, 1))
    packed = b.model(b.linear("image", 65_536, bias=False))
    ours, theirs = Model(packed), CModel(to_bytes(packed))
    rng = np.random.default_rng(1)
    for row in (rng.integers(-300, 300, 65_536), 1e-20 * rng.standard_normal(65_536)):
        logits = row.astype(np.float32)
        for k in (5, 65_536):
            classes, probabilities = theirs.rank(logits, k)
            top = ours.rank(logits[None], top_k=k)[0].top
            assert classes == [guess.index for guess in top]
            want = [guess.probability for guess in top]
            np.testing.assert_allclose(probabilities, want, rtol=1e-11, atol=0)


@pytest.mark.parametrize("special", [0, np.nan, np.inf, -np.inf])
def test_ranks_without_classes_or_probabilities(special: float) -> None:
    b = Builder(np.random.default_rng(0), (1, 1, 1))
    theirs = CModel(to_bytes(b.model(b.linear("image", 4))))
    row = np.array([1, special, 3, 1], np.float32)
    classes, probabilities = theirs.rank(row, 3)
    numbers, floats = (ctypes.c_size_t * 3)(), (ctypes.c_double * 3)()
    rank, logits = library().bnas_model_rank, (ctypes.c_float * 4)(*row)
    assert rank(theirs.handle, logits, 3, numbers, None) == 3
    assert rank(theirs.handle, logits, 3, None, floats) == 3
    assert rank(theirs.handle, logits, 3, None, None) == 3
    assert list(numbers) == classes
    np.testing.assert_array_equal(floats, probabilities)


def test_ranks_of_nan_are_in_order() -> None:
    b = Builder(np.random.default_rng(0), (1, 1, 1))
    theirs = CModel(to_bytes(b.model(b.linear("image", 4))))
    row = np.array([1, np.nan, 3, 4], np.float32)
    assert theirs.rank(row, 4)[0] == [0, 1, 2, 3]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_pictures_are_prepared_as_python_does(channels: int, mode: str) -> None:
    model = picture_model(channels=channels)
    ours, theirs = Model(model, backend="native"), CModel(to_bytes(model))
    rng = np.random.default_rng(channels)
    for height, width in ((8, 8), (61, 23), (23, 61), (5, 7), (1, 1), (357, 480), (333, 40)):
        pixels = rng.integers(0, 256, (height, width, len(mode)), np.uint8)
        picture = Image.fromarray(pixels)
        prepared = theirs.prepare(pixels)
        assert (prepared == ours.pixels(picture)).all(), (height, width)
        assert same_bits(theirs.run_rgb(prepared[None]), ours.run(ours.preprocess(picture)))


def test_pictures_that_cannot_be_prepared() -> None:
    model = CModel(to_bytes(picture_model()))
    for shape, message in (
        ((4, 4, 2), r"must be 3 \(RGB\) or 4"),
        ((0, 4, 3), "at least 1"),
        ((1, 3_000_000, 3), "too elongated"),
    ):
        with pytest.raises(CError, match=f"argument: .*{message}"):
            model.prepare(np.zeros(shape, np.uint8))
    with pytest.raises(CError, match="has not the 3 channels"):
        CModel(to_bytes(picture_model(channels=2))).prepare(np.zeros((4, 4, 3), np.uint8))


def test_rgb_needs_three_channels() -> None:
    b = Builder(np.random.default_rng(0), (2, 4, 4))
    b.relu("image")
    model = CModel(to_bytes(b.finish()))
    with pytest.raises(CError, match="argument: the model's input has not the 3 channels"):
        model.run_rgb(np.zeros((1, 4, 4, 2), np.uint8))


def test_instruction_sets_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CError, match=r"backend: unknown instruction set 'mmx'; choose one .*sca"):
        CModel(MINI, "mmx")
    monkeypatch.setenv("BNAS_ISA", "scalar")
    assert CModel(MINI).description.isa == b"scalar"
    monkeypatch.setenv("BNAS_ISA", "sse")
    with pytest.raises(CError, match=r"unknown instruction set 'sse'.*\(isa from BNAS_ISA\)"):
        CModel(MINI)
    assert CModel(MINI, "scalar").description.isa == b"scalar"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.bnn", "file: .*missing.bnn: the file cannot be read .*No such file"),
        (".", "file: .*this is a directory or a device"),
        ("short.bnn", "format: .*short.bnn: expected a .bnn file, got 3 bytes"),
        ("giant.bnn", "format: .*expected at most 2147483648 bytes, got 1099511627776"),
    ],
)
def test_paths(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "short.bnn").write_bytes(b"abc")
    with (tmp_path / "giant.bnn").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(CError, match=message):
        CModel(tmp_path / name)


def test_arguments() -> None:
    lib, handle, error, model = library(), c_void_p(), Error(), CModel(MINI)
    out = np.zeros(10, np.float32).ctypes.data
    for function, arguments, message in (
        (lib.bnas_model_load_file, (None, None, byref(handle)), b"path must not be NULL"),
        (lib.bnas_model_load_file, (b"x", None, None), b"model must not be NULL"),
        (lib.bnas_model_load_memory, (None, 0, None, byref(handle)), b"data must not be NULL"),
        (lib.bnas_model_run, (None, out, 1, 1, out), b"model must not be NULL"),
        (lib.bnas_model_run, (model.handle, None, 1, 1, out), b"images and logits must not be"),
        (lib.bnas_model_run, (model.handle, out, 1, 1, None), b"images and logits must not be"),
        (lib.bnas_model_run, (model.handle, out, 1, 0, out), b"threads must be at least 1"),
    ):
        assert function(*arguments, byref(error)) == error.status == 1
        assert message in error.message
        assert function(*arguments, None) == 1  # there is nowhere to say why
        assert not handle
    lib.bnas_model_free(None)


SCARCE = """
import resource, sys
import numpy as np
from support.c_library import CError, CModel
from pathlib import Path

model = CModel(Path(sys.argv[1]), "scalar")
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 2**27
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for run, image in ((model.run, np.zeros((1, 3, 512, 512), np.float32)),
                   (model.run_rgb, np.zeros((1, 512, 512, 3), np.uint8))):
    for threads in (1, 3):
        try:
            run(image, threads)
        except CError as error:
            print(error)
"""


@pytest.mark.skipif(platform.system() != "Linux", reason="needs limits as Linux has them")
def test_memory_that_runs_out(tmp_path: Path) -> None:
    b = Builder(np.random.default_rng(0), (3, 512, 512))
    b.conv2d("image", 256, kernel=1, padding=0)  # 2^26 floats
    (tmp_path / "large.bnn").write_bytes(to_bytes(b.finish()))
    done = subprocess.run(
        [sys.executable, "-c", SCARCE, tmp_path / "large.bnn"],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["memory: memory ran out"] * 4


def test_the_version_of_the_interface() -> None:
    header = (Path(__file__).parents[2] / "kernels/c_api/bnas.h").read_text()
    assert f"#define BNAS_API_VERSION {library().bnas_api_version()}\n" in header
