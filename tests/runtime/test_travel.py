"""Tests of models that go to other processes: pickles, copies, forks, files that have changed."""

from __future__ import annotations

import copy
import hashlib
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.small_models import mean_colour_model, picture_model, written

import bnas_deploy
from bnas_deploy.engine import available
from bnas_deploy.errors import BackendError, FormatError
from bnas_deploy.format import read, to_bytes
from bnas_deploy.runtime import travel
from bnas_deploy.runtime.model import Model

BACKEND = "native" if available()["native"] is None else "reference"
PIXELS = np.random.default_rng(0).integers(0, 256, (3, 9, 13, 3), np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path, picture_model())


def answers(model: Model) -> list[float]:
    return [p.probability for p in model.predict(list(PIXELS))]


def far_away(blob: bytes) -> Model:
    """What a process gets that has seen no model yet."""
    travel._MODELS.clear()
    return pickle.loads(blob)


def answers_twice(models: tuple[Model, Model]) -> tuple[bool, list[float]]:
    first, second = models
    return first is second, answers(first)


def elsewhere(code: str, *arguments: object) -> str:
    """What a fresh process prints; `model` is unpickled from standard input's bytes there."""
    paths = [str(Path(__file__).parents[1]), *sys.path]
    head = "import pickle, sys\nsys.path[:0] = sys.argv[1].split(':')\n"
    done = subprocess.run(
        [sys.executable, "-c", head + code, ":".join(filter(None, paths)), *map(str, arguments)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.fixture(params=["path", "bytes", "packed", "read"])
def model(request: pytest.FixtureRequest, path: Path) -> Model:
    made = {
        "path": lambda: bnas_deploy.load(path, backend=BACKEND),
        "bytes": lambda: bnas_deploy.load(path.read_bytes(), backend=BACKEND),
        "packed": lambda: Model(picture_model(), backend=BACKEND),
        "read": lambda: Model(read(path), backend=BACKEND),
    }
    return made[request.param]()


def test_a_pickle_gives_the_same_answers(model: Model) -> None:
    want, blob = answers(model), pickle.dumps(model)
    assert pickle.loads(blob) is model
    again = far_away(blob)
    assert again is not model
    assert "loaded when it is first used" in repr(again)
    assert answers(again) == want
    assert again.backend == BACKEND
    assert "native" in repr(again) or "reference" in repr(again)
    assert to_bytes(again.packed) == to_bytes(model.packed)


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_pools_of_processes(model: Model, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    if method == "fork" and sys.version_info >= (3, 12):
        pytest.skip("newer Pythons warn of any fork beside threads")
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(answers, model).result() == answers(model)
        same, found = pool.submit(answers_twice, (model, copy.copy(model))).result()
    assert same
    assert found == answers(model)


def test_the_checksum_is_that_of_the_file(model: Model, path: Path) -> None:
    want = hashlib.sha256(path.read_bytes()).hexdigest()
    assert model.checksum == far_away(pickle.dumps(model)).checksum == want


def test_a_copy_is_the_model(model: Model) -> None:
    assert copy.copy(model) is model
    assert copy.deepcopy([model])[0] is model


def test_a_pickle_of_a_file_is_small_and_one_of_bytes_holds_them(path: Path) -> None:
    size = path.stat().st_size
    assert len(pickle.dumps(bnas_deploy.load(path))) < 1000 < size
    assert len(pickle.dumps(bnas_deploy.load(path.read_bytes()))) > size


def test_equal_models_are_loaded_once(path: Path) -> None:
    first = pickle.dumps(bnas_deploy.load(path, backend=BACKEND))
    second = pickle.dumps(bnas_deploy.load(path, backend=BACKEND))
    other = pickle.dumps(bnas_deploy.load(path, backend=BACKEND, threads=2))
    a, b, c = far_away(first), *map(pickle.loads, (second, other))
    assert a is b
    assert a.runner is b.runner
    assert c is not a
    assert (a.threads, c.threads) == (1, 2)


def test_what_was_chosen_goes_along() -> None:
    model = Model(picture_model(), backend="reference", threads=3)
    again = far_away(pickle.dumps(model))
    assert (again.backend, again.threads) == ("reference", model.threads)


def test_the_choice_is_made_where_the_model_arrives(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNAS_BACKEND", "reference")
    blob = pickle.dumps(bnas_deploy.load(path))
    monkeypatch.setenv("BNAS_BACKEND", "abacus")
    with pytest.raises(BackendError, match="abacus"):
        answers(far_away(blob))


def test_a_path_is_absolute(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    model = bnas_deploy.load(path.name, backend="reference")
    monkeypatch.chdir("/")
    out = elsewhere(
        "import os; os.chdir('/')\nmodel = pickle.loads(bytes.fromhex(sys.argv[2]))\n"
        "print(model.labels[0])",
        pickle.dumps(model).hex(),
    )
    assert out.strip() == model.labels[0]


def test_a_file_that_has_changed_is_refused(path: Path) -> None:
    blob = pickle.dumps(bnas_deploy.load(path, backend=BACKEND))
    path.write_bytes(to_bytes(mean_colour_model()))
    arrived = far_away(blob)
    for look in (answers, lambda m: m.labels, lambda m: m.packed):
        with pytest.raises(FormatError, match=r"model\.bnn: the file has changed since"):
            look(arrived)
    path.write_bytes(to_bytes(picture_model()))
    assert answers(arrived) == answers(bnas_deploy.load(path, backend=BACKEND))


def test_a_model_that_is_loaded_does_not_mind_a_changed_file(path: Path) -> None:
    model = bnas_deploy.load(path, backend=BACKEND)
    want, blob = answers(model), pickle.dumps(model)
    path.write_bytes(to_bytes(mean_colour_model()))
    assert answers(pickle.loads(blob)) == want
    assert pickle.loads(pickle.dumps(model)) is model
    assert model.packed.labels == picture_model().labels


def test_a_file_that_has_gone_is_named(path: Path) -> None:
    blob = pickle.dumps(bnas_deploy.load(path, backend=BACKEND))
    path.unlink()
    with pytest.raises(FormatError, match=r"model\.bnn: no such file.*goes to other processes"):
        answers(far_away(blob))


def test_a_mistake_reaches_the_caller_of_a_pool(path: Path) -> None:
    model = bnas_deploy.load(path, backend=BACKEND)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        path.write_bytes(to_bytes(mean_colour_model()))
        with pytest.raises(FormatError, match="has changed"):
            pool.submit(answers, model).result()
        assert pool.submit(sum, [1, 2]).result() == 3


def test_a_model_made_here_and_changed_is_another(path: Path) -> None:
    packed = read(path)
    other = Model(replace(packed, labels=packed.labels[::-1]), backend="reference")
    blob = pickle.dumps(other)
    assert far_away(blob).labels == packed.labels[::-1]
