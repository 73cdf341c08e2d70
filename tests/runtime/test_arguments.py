"""What a caller passes to the public API: whole numbers are taken, all else is a `BnasError`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_models import picture_model

import bnas_deploy
from bnas_deploy import cpus, engine
from bnas_deploy.errors import UsageError
from bnas_deploy.format.writer import to_bytes

PICTURE = np.zeros((8, 8, 3), np.uint8)
NO_COUNTS: list[Any] = [0, -1, "1", 1.0, 1.5, True, np.True_, [1], np.array([1, 2]), -(10**30), {}]
BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(missing is not None, reason=str(missing)))
    for name, missing in engine.available().items()
]


@pytest.fixture
def model() -> bnas_deploy.Model:
    return bnas_deploy.load(to_bytes(picture_model()), backend="reference")


@pytest.mark.parametrize("name", ["top_k", "batch"])
@pytest.mark.parametrize("value", [*NO_COUNTS, None])
def test_no_counts(model: bnas_deploy.Model, name: str, value: object) -> None:
    with pytest.raises(UsageError, match=rf"^{name} must be a whole number of at least 1; got"):
        model.predict(PICTURE, **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", NO_COUNTS[1:])
def test_no_workers(model: bnas_deploy.Model, value: object) -> None:
    with pytest.raises(UsageError, match=r"^workers must be a whole number of at least 0; got"):
        model.predict(PICTURE, workers=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [*NO_COUNTS, None])
def test_no_threads(value: object) -> None:
    with pytest.raises(UsageError, match=r"^threads must be a whole number of at least 1; got"):
        bnas_deploy.load(to_bytes(picture_model()), threads=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [int, np.int8, np.uint64, np.array])
def test_whole_numbers_of_any_kind(model: bnas_deploy.Model, kind: Any) -> None:
    (found,) = model.predict(PICTURE, top_k=kind(2), batch=kind(3), workers=kind(1))
    assert len(found.top) == 2
    assert len(model.rank(model.run(model.preprocess(PICTURE)), top_k=kind(2))[0].top) == 2
    threads = bnas_deploy.load(to_bytes(picture_model()), threads=kind(1)).threads
    assert (threads, type(threads)) == (1, int)


@pytest.mark.parametrize("asked", [4000, 10**30])
def test_no_more_threads_than_cpus(monkeypatch: pytest.MonkeyPatch, asked: int) -> None:
    monkeypatch.setattr(cpus, "usable_cpus", lambda: 3)
    model = bnas_deploy.load(to_bytes(picture_model()), backend="reference", threads=asked)
    assert model.threads == 3
    assert model.runner.note is not None
    assert model.runner.note.startswith("3 threads in place of ")
    assert bnas_deploy.load(to_bytes(picture_model()), threads=3).runner.note is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_engine_has_a_limit_of_threads(backend: str) -> None:
    with pytest.raises(UsageError, match=r"^threads must be at most 1024; got 4000$"):
        engine.create(picture_model(), backend=backend, threads=4000)


@pytest.mark.parametrize("path", [None, 3, [b""], ..., object()])
def test_no_file(path: Any) -> None:
    with pytest.raises(UsageError, match=r"^expected the path of a \.bnn file, or its bytes; got "):
        bnas_deploy.load(path)


def test_an_empty_name_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(bnas_deploy.errors.FormatError, match="this is a folder"):
        bnas_deploy.load("")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("images", [None, 3, "x", [[1.0]], b"", {}])
def test_no_images(backend: str, images: Any) -> None:
    model = bnas_deploy.load(to_bytes(picture_model()), backend=backend)
    with pytest.raises(UsageError, match="images must be a float32 array of shape"):
        model.run(images)


@pytest.mark.parametrize("logits", [None, 3, [[1.0]], np.zeros(3), np.zeros((1, 2)), np.float32(1)])
def test_no_logits(model: bnas_deploy.Model, logits: Any) -> None:
    with pytest.raises(UsageError, match=r"logits must be an array \(N, 10\)"):
        model.rank(logits)


@pytest.mark.parametrize(
    "pixels", [None, 3, PICTURE, [PICTURE[:3]], [PICTURE.astype(int)], [None], "x"]
)
def test_no_pixels(model: bnas_deploy.Model, pixels: Any) -> None:
    with pytest.raises(UsageError, match=r"expected a list of uint8 arrays \(8, 8, 3\)"):
        model.normalise(pixels)
