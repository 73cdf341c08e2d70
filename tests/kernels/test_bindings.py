"""The compiled module: it reads files as strictly as Python does, and checks what it is given."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest
from support.random_programs import random_images, random_program

from bnas_deploy import _kernels
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.errors import FormatError
from bnas_deploy.format import PackedModel, read, to_bytes

ISA = "scalar"


@pytest.fixture
def model() -> PackedModel:
    return random_program(np.random.default_rng(0))


def load(blob: bytes, *, isa: str | None = ISA, verified: bool = False) -> _kernels.Model:
    return _kernels.load(blob, isa=isa, verified=verified)


def damaged(blob: bytes) -> bytes:
    """With another last byte: a tensor's."""
    return blob[:-1] + bytes([blob[-1] ^ 1])


def test_an_unknown_isa(model: PackedModel) -> None:
    with pytest.raises(ValueError, match="unknown instruction set 'sse9'"):
        load(to_bytes(model), isa="sse9")


def test_a_damaged_file(model: PackedModel) -> None:
    with pytest.raises(_kernels.FormatError, match=r"bnas\.sha256 is wrong"):
        load(damaged(to_bytes(model)))


def test_the_checksum_of_a_verified_file_is_not_computed_again(model: PackedModel) -> None:
    wrong = to_bytes(model).replace(b'"bnas.sha256":"', b'"bnas.sha256":"0', 1)
    at = wrong.index(b'"bnas.sha256":"') + 15
    wrong = wrong[: at + 63] + wrong[at + 64 :]  # of the same length
    with pytest.raises(_kernels.FormatError, match=r"bnas\.sha256 is wrong"):
        load(wrong)
    assert load(wrong, verified=True).isa == ISA


def test_text_instead_of_a_file() -> None:
    with pytest.raises(_kernels.FormatError, match="not a safetensors file, or truncated"):
        load(b"no file at all")
    with pytest.raises(TypeError):
        _kernels.load("text", isa=None, verified=False)  # type: ignore[arg-type]


def test_images_of_another_shape(model: PackedModel) -> None:
    c, h, w = model.program.values[model.program.input].shape
    loaded = load(to_bytes(model))
    with pytest.raises(ValueError, match=rf"expected shape \(N, {c}, {h}, {w}\), got \(1, {h + 1}"):
        loaded.run(np.zeros((1, h + 1, w, c), np.float32), 1)
    with pytest.raises(TypeError, match="images: expected dtype float32, got float64"):
        loaded.run(np.zeros((1, c, h, w)), 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="images: expected a contiguous, aligned array"):
        loaded.run(np.zeros((1, c, h, 2 * w), np.float32)[..., ::2], 1)
    with pytest.raises(ValueError, match="exactly one image"):
        loaded.trace(np.zeros((2, c, h, w), np.float32))
    with pytest.raises(ValueError, match="threads: expected at least 1"):
        loaded.run(np.zeros((1, c, h, w), np.float32), 0)


def test_the_peak_is_a_rate() -> None:
    assert _kernels.popcount_peak(ISA, 1.0) > 0


def test_a_model_that_breaks_a_rule_is_refused(model: PackedModel) -> None:
    with pytest.raises(FormatError, match="labels"):
        NativeRunner(dataclasses.replace(model, labels=()))


def test_provenance_is_not_looked_at(model: PackedModel) -> None:
    NativeRunner(dataclasses.replace(model, provenance={"loss": float("nan")}))


def test_a_model_changed_after_reading_runs_as_changed(model: PackedModel, tmp_path: Path) -> None:
    path = tmp_path / "model.bnn"
    path.write_bytes(to_bytes(model))
    packed = read(path)
    assert packed.file == path.read_bytes()
    assert packed == dataclasses.replace(packed)
    with pytest.raises(TypeError):
        packed.tensors["new"] = np.zeros(1)  # type: ignore[index]
    last = packed.program.steps[-1]
    weight = packed.tensors[last.weight]  # type: ignore[union-attr]
    tensors = {**packed.tensors, last.weight: np.ascontiguousarray(weight[::-1])}  # type: ignore[union-attr]
    changed = dataclasses.replace(packed, tensors=tensors)
    assert changed.file is None
    images = random_images(np.random.default_rng(1), model, 2)
    assert np.array_equal(NativeRunner(changed).run(images), ReferenceRunner(changed).run(images))
    assert not np.array_equal(NativeRunner(changed).run(images), NativeRunner(packed).run(images))


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_of_a_model_is_not_its_file(twin, model: PackedModel) -> None:
    packed = read(to_bytes(model))
    again = twin(packed)
    assert again.file is None
    images = random_images(np.random.default_rng(1), model, 2)
    assert np.array_equal(NativeRunner(again).run(images), NativeRunner(packed).run(images))
