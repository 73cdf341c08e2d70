"""Tests of dumps: whole or not there, every value as the engine has it, damage named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.small_models import picture_model

from bnas_deploy.errors import FormatError, UsageError
from bnas_deploy.runtime.dump import INDEX, dump, read_dump
from bnas_deploy.runtime.model import Model

NAMES = ("one", "two/../\n")


@pytest.fixture
def model() -> Model:
    return Model(picture_model(), backend="reference")


@pytest.fixture
def images(model: Model) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((2, 3, 8, 8), dtype=np.float32)


def test_every_value_comes_back(model: Model, images: np.ndarray, tmp_path: Path) -> None:
    dump(model, images, tmp_path / "new" / "dump", names=NAMES)
    found = read_dump(tmp_path / "new" / "dump")
    assert (found.backend, found.isa, found.images) == ("reference", None, NAMES)
    trace = model.runner.trace(images)
    assert {value.name for value in found.values} == set(trace)
    for value in found.values:
        assert found.load(value).dtype == trace[value.name].dtype
        assert np.array_equal(found.load(value), trace[value.name])
    assert {value.kind for value in found.values} == {"f32", "bits"}


def test_values_stand_in_program_order(model: Model, images: np.ndarray, tmp_path: Path) -> None:
    dump(model, images, tmp_path / "dump", names=NAMES)
    values = read_dump(tmp_path / "dump").values
    steps = model.packed.program.steps
    assert (values[0].name, values[0].step, values[0].op) == ("image", -1, "input")
    assert [value.step for value in values] == sorted(value.step for value in values)
    assert all(value.op == steps[value.step].OP for value in values[1:])


def test_only_a_dump_is_replaced_and_only_by_force(
    model: Model, images: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "dump"
    folder.mkdir()
    dump(model, images, folder, names=NAMES)  # an empty folder is as good as none
    with pytest.raises(UsageError, match="holds a dump already; give another name, or --force"):
        dump(model, images[:1], folder, names=NAMES[:1])
    assert len(read_dump(folder).images) == 2
    (folder / "old").touch()
    dump(model, images[:1], folder, names=NAMES[:1], force=True)
    assert len(read_dump(folder).images) == 1
    assert not (folder / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["dump"]


@pytest.mark.parametrize("content", [None, "{}", '{"format": "other"}'])
def test_what_is_no_dump_stays(
    model: Model, images: np.ndarray, tmp_path: Path, content: str | None
) -> None:
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    if content is not None:
        (folder / INDEX).write_text(content)
    with pytest.raises(UsageError, match=r"precious: .*not a dump"):
        dump(model, images, folder, names=NAMES, force=True)
    assert (folder / "thesis.tex").read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_file_in_the_way(model: Model, images: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file: exists and is not a dump"):
        dump(model, images, tmp_path / "file", names=NAMES, force=True)


def test_nothing_is_left_of_a_failure(
    model: Model, images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump(model, images, tmp_path / "dump", names=NAMES)

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model.runner, "trace", full)
    for folder in ("dump", "other"):
        with pytest.raises(OSError, match="No space"):
            dump(model, images, tmp_path / folder, names=NAMES, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["dump"]
    assert len(read_dump(tmp_path / "dump").images) == 2


def edit(change: Callable[[dict], object]) -> Callable[[Path], object]:
    def apply(folder: Path) -> None:
        index = json.loads((folder / INDEX).read_text())
        change(index)
        (folder / INDEX).write_text(json.dumps(index))

    return apply


DAMAGE = {
    "no index": (lambda d: (d / INDEX).unlink(), "not a dump of bnas-run"),
    "no json": (lambda d: (d / INDEX).write_text("{"), "not valid JSON"),
    "not an object": (lambda d: (d / INDEX).write_text("[]"), "not the index of a dump"),
    "another format": (edit(lambda i: i.update(format="bnas-dump 9.0")), "expected format"),
    "a key is missing": (edit(lambda i: i.pop("values")), "not the index of a dump"),
    "a value lacks its kind": (edit(lambda i: i["values"][0].pop("kind")), "not the index"),
    "an unknown kind": (edit(lambda i: i["values"][0].update(kind="f64")), "not the index"),
    "a file elsewhere": (edit(lambda i: i["values"][0].update(file="../x.npy")), "not the index"),
    "a shape of two": (edit(lambda i: i["values"][0].update(shape=[1, 2])), "not the index"),
    "another shape": (edit(lambda i: i["values"][0].update(shape=[1, 2, 3])), "expected float32"),
    "no file": (lambda d: (d / "00000.npy").unlink(), "cannot be read as a NumPy array"),
    "an empty file": (lambda d: (d / "00000.npy").write_bytes(b""), "cannot be read"),
    "a short file": (
        lambda d: (d / "00000.npy").write_bytes((d / "00000.npy").read_bytes()[:-1]),
        "cannot be read",
    ),
    "a pickle": (
        lambda d: np.save(d / "00000.npy", np.array([{}], object), allow_pickle=True),
        "cannot be read",
    ),
}


def load_first(folder: Path) -> np.ndarray:
    found = read_dump(folder)
    return found.load(found.values[0])


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named(model: Model, images: np.ndarray, tmp_path: Path, case: str) -> None:
    damage, message = DAMAGE[case]
    dump(model, images, tmp_path / "dump", names=NAMES)
    damage(tmp_path / "dump")
    with pytest.raises(FormatError, match=message):
        load_first(tmp_path / "dump")
