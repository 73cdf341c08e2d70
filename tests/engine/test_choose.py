"""Tests of the choice of a backend: names, environment, errors, no silent fall-back."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from support.random_programs import random_images, random_program

from bnas_deploy.engine import available, choose, create, describe
from bnas_deploy.errors import BackendError, FormatError, UsageError
from bnas_deploy.format import PackedModel

NATIVE_MISSING = available()["native"] is not None
NUMBA_MISSING = available()["numba"] is not None
needs_numba = pytest.mark.skipif(NUMBA_MISSING, reason="numba is not installed")
needs_native = pytest.mark.skipif(NATIVE_MISSING, reason="bnas_deploy._kernels is not built")


@pytest.fixture
def model() -> PackedModel:
    return random_program(np.random.default_rng(0))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BNAS_BACKEND", "BNAS_ISA", "BNAS_ALLOW_PURE_PYTHON"):
        monkeypatch.delenv(name, raising=False)


def lose(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        make: Callable = choose.BACKENDS[name][1]
        monkeypatch.setitem(choose.BACKENDS, name, (lambda: "it is lost", make))


PURE = os.environ.get("BNAS_ALLOW_PURE_PYTHON") == "1"


@pytest.mark.skipif(PURE, reason="a pure Python run is meant (BNAS_ALLOW_PURE_PYTHON=1)")
def test_the_compiled_module_is_there() -> None:
    """Fails where the tests run without it by accident, as in a checkout before a wheel."""
    assert available()["native"] is None


@needs_native
def test_native_is_the_default(model: PackedModel) -> None:
    runner = create(model)
    assert runner.name == "native"
    assert runner.note is None


@pytest.mark.parametrize("name", ["reference", pytest.param("numba", marks=needs_numba)])
def test_argument_and_environment_choose(
    name: str, model: PackedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = random_images(np.random.default_rng(0), model, 2)
    first = create(model, backend=name)
    first.run(x)  # compiles, which a note would announce
    assert first.name == name
    monkeypatch.setenv("BNAS_BACKEND", name)
    runner = create(model, threads=2)
    assert (runner.name, runner.threads, runner.note) == (name, 2, None)
    assert np.array_equal(runner.run(x), create(model, backend="reference").run(x))


def test_argument_wins(model: PackedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNAS_BACKEND", "nonsense")
    assert create(model, backend="reference").name == "reference"


def test_empty_variables_are_not_set(model: PackedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, "native")
    monkeypatch.setenv("BNAS_BACKEND", "")
    with pytest.raises(BackendError, match="backend native is not available"):
        create(model)


def test_unknown_backend(model: PackedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match=r"'cuda'; choose one of native, numba, reference"):
        create(model, backend="cuda")
    monkeypatch.setenv("BNAS_BACKEND", "cuda")
    with pytest.raises(BackendError, match=r"'cuda'; choose one of .* \(from BNAS_BACKEND\)"):
        create(model)


def test_no_silent_fall_back(model: PackedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, "native")
    with pytest.raises(BackendError, match=r"native is not available: it is lost; .*pip install"):
        create(model)
    with pytest.raises(BackendError, match="--backend numba or --backend reference"):
        create(model, backend="native")
    monkeypatch.setenv("BNAS_ALLOW_PURE_PYTHON", "1")
    with pytest.raises(BackendError, match="backend native is not available"):
        create(model, backend="native")


@pytest.mark.parametrize(
    ("lost", "left"),
    [
        pytest.param(["native"], "numba", marks=needs_numba),
        (["native", "numba"], "reference"),
    ],
)
def test_allowed_fall_back_is_noted(
    lost: list[str], left: str, model: PackedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(monkeypatch, *lost)
    monkeypatch.setenv("BNAS_ALLOW_PURE_PYTHON", "1")
    runner = create(model)
    assert runner.name == left
    assert runner.note == f"backend {left} chosen by BNAS_ALLOW_PURE_PYTHON=1: it is lost"


def test_missing_numba_says_how_to_get_it(
    model: PackedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "bnas_deploy.engine.numba.backend", raising=False)
    with pytest.raises(BackendError, match=r'pip install "numba>='):
        create(model, backend="numba")


@pytest.mark.parametrize("name", ["reference", pytest.param("numba", marks=needs_numba)])
def test_isa_needs_native(name: str, model: PackedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match=f"backend {name} has no choice of instruction sets"):
        create(model, backend=name, isa="avx2")
    monkeypatch.setenv("BNAS_ISA", "avx2")
    assert create(model, backend=name).name == name  # the variable is meant for native
    monkeypatch.setenv("BNAS_BACKEND", name)
    with pytest.raises(BackendError, match="leave out isa 'avx2'"):
        create(model)


@needs_native
def test_unknown_isa(model: PackedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match="sse9"):
        create(model, backend="native", isa="sse9")
    monkeypatch.setenv("BNAS_ISA", "sse9")
    with pytest.raises(BackendError, match=r"'sse9'.*\(isa from BNAS_ISA\)"):
        create(model)


@needs_native
def test_isa_is_used(model: PackedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n, state in describe()["isas"].items() if state == "supported"]:
        assert create(model, isa=name).isa == name
        monkeypatch.setenv("BNAS_ISA", name)
        assert create(model).isa == name
        monkeypatch.delenv("BNAS_ISA")


def test_threads_and_model_are_checked(model: PackedModel) -> None:
    with pytest.raises(UsageError, match="at least 1; got 0"):
        create(model, backend="reference", threads=0)
    with pytest.raises(FormatError, match="labels"):
        create(dataclasses.replace(model, labels=()), backend="reference")


@pytest.mark.parametrize("backend", ["native", "numba", "reference"])
def test_every_backend_answers_for_its_memory(model: PackedModel, backend: str) -> None:
    if available()[backend] is not None:
        pytest.skip(f"{backend} is not available")
    memory = create(model, backend=backend).memory()
    assert (memory is None) == (backend != "native")
    assert memory is None or {"weights", "tables", "context"} <= set(memory)


def test_describe_names_everything() -> None:
    facts = describe()
    assert list(facts) == ["backends", "isas", "cpu", "environment"]
    assert facts["backends"]["reference"] == "available"
    assert list(available()) == ["native", "numba", "reference"]
    assert facts["environment"]["BNAS_ISA"] == "not set"


def test_import_is_cheap() -> None:
    code = "import sys, bnas_deploy.engine; print({'numba', 'torch', 'onnx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
