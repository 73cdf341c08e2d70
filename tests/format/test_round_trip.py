"""Tests of writing and reading valid models: nothing changes, nothing is left behind."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from support.random_programs import random_program, step_programs

from bnas_deploy.errors import FormatError
from bnas_deploy.format import PackedModel, read, to_bytes, write


def assert_same(a: PackedModel, b: PackedModel) -> None:
    assert dataclasses.replace(a, tensors={}) == dataclasses.replace(b, tensors={})
    assert set(a.tensors) == set(b.tensors)
    for name, tensor in a.tensors.items():
        other = b.tensors[name]
        assert (tensor.dtype, tensor.shape) == (other.dtype, other.shape)
        assert tensor.tobytes() == other.tobytes()


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed: int) -> None:
    m = random_program(np.random.default_rng(seed))
    blob = to_bytes(m)
    assert_same(m, read(blob))
    assert to_bytes(read(blob)) == blob
    assert_same(m, read(memoryview(bytearray(blob))))


@pytest.mark.parametrize("name_model", list(step_programs()), ids=lambda nm: nm[0])
def test_steps(name_model: tuple[str, PackedModel]) -> None:
    assert_same(name_model[1], read(to_bytes(name_model[1])))


def test_other_readers_can_list_it() -> None:
    m = random_program(np.random.default_rng(0))
    tensors = safetensors.numpy.load(to_bytes(m))
    assert set(tensors) == set(m.tensors)


def test_tensors_of_any_layout_are_written_right() -> None:
    m = random_program(np.random.default_rng(1))
    in_fortran_order = {name: np.asfortranarray(tensor) for name, tensor in m.tensors.items()}
    assert to_bytes(dataclasses.replace(m, tensors=in_fortran_order)) == to_bytes(m)


def test_tensors_read_cannot_be_changed() -> None:
    m = read(to_bytes(random_program(np.random.default_rng(1))))
    with pytest.raises(ValueError, match="read-only"):
        next(iter(m.tensors.values()))[...] = 0


def test_write_replaces_whole_files_only(tmp_path: Path) -> None:
    path = tmp_path / "model.bnn"
    a, b = (random_program(np.random.default_rng(seed)) for seed in (1, 2))
    write(a, path)
    write(b, str(path))
    assert_same(read(path), b)
    with pytest.raises(FormatError, match="labels"):
        write(dataclasses.replace(a, labels=("only one",)), path)
    assert_same(read(str(path)), b)
    assert [p.name for p in tmp_path.iterdir()] == ["model.bnn"]


def test_failed_replacement_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        msg = f"no space for {target}"
        raise OSError(msg)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(FormatError, match=r"model.bnn: the file cannot be written \(no space"):
        write(random_program(np.random.default_rng(1)), tmp_path / "model.bnn")
    assert not list(tmp_path.iterdir())


def test_write_into_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be written"):
        write(random_program(np.random.default_rng(1)), tmp_path / "no" / "model.bnn")


@pytest.mark.parametrize(
    ("provenance", "message"),
    [
        ({"x": float("nan")}, "bnas.program cannot be written as JSON"),
        ({"x": np.float32(1)}, "bnas.program cannot be written as JSON"),
        ({"x": {1: 2}}, "keys must be strings, got 1"),
        ({"x": "\ud800"}, "bnas.program cannot be written as JSON"),
        ({"x": 10**30}, "an integer of 31 digits is too large"),
    ],
)
def test_provenance_must_be_json(provenance: dict, message: str) -> None:
    m = dataclasses.replace(random_program(np.random.default_rng(1)), provenance=provenance)
    with pytest.raises(FormatError, match=message):
        to_bytes(m)
