"""Tests of what importing the package loads, in fresh processes."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

HEAVY = ("torch", "numba", "onnx", "onnxruntime", "tflite", "tqdm", "matplotlib")
SOON = ("PIL", "safetensors", "argparse")


def loaded(statement: str, candidates: tuple[str, ...]) -> set[str]:
    code = f"import sys; {statement}; print(*(n for n in {candidates} if n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return set(done.stdout.split())


def test_the_package_needs_numpy_only() -> None:
    assert loaded("import bnas_deploy", HEAVY + SOON) == set()


@pytest.mark.parametrize(
    "module",
    [
        "bnas_deploy.runtime.model",
        "bnas_deploy.runtime.evaluate",
        "bnas_deploy.cli.run.command",
        "bnas_deploy.cli.inspect.command",
        "bnas_deploy.cli.report.command",
        "bnas_deploy.cost",
        "bnas_deploy.format",
        "bnas_deploy.engine",
    ],
)
def test_running_a_model_needs_nothing_heavy(module: str) -> None:
    assert loaded(f"import {module}", (*HEAVY, "PIL")) == set()


def test_naming_a_picture_loads_only_what_it_uses() -> None:
    rare = ("bnas_deploy.cost", "bnas_deploy.runtime.explain", "bnas_deploy.runtime.dump")
    rare += ("bnas_deploy.format.steps", "bnas_deploy.format.reader", "safetensors", "hashlib")
    slow = ("statistics", "tempfile", "random", "tarfile", "difflib", "importlib.util", "json")
    # The finder of an editable install loads some with the first import.
    before = loaded("import bnas_deploy", (*rare, *slow))
    assert loaded("import bnas_deploy.cli.run.command", (*rare, *slow)) - before == set()


def test_the_check_sees_what_is_loaded() -> None:
    assert loaded("import bnas_deploy, json", ("json", "torch")) == {"json"}


@pytest.mark.parametrize(
    "module",
    [
        "bnas_deploy", "bnas_deploy.bits", "bnas_deploy.errors", "bnas_deploy.cost",
        "bnas_deploy.engine", "bnas_deploy.format", "bnas_deploy.runtime.model",
        "bnas_deploy.runtime.images", "bnas_deploy.runtime.predictions",
        "bnas_deploy.runtime.evaluate", "bnas_deploy.cli.run.command",
        "bnas_deploy.cli.inspect.command",
    ],
)  # fmt: skip
def test_public_names_exist(module: str) -> None:
    imported = importlib.import_module(module)
    assert sorted(imported.__all__) == list(dict.fromkeys(sorted(imported.__all__)))
    for name in imported.__all__:
        assert getattr(imported, name) is not None


def test_unknown_name() -> None:
    import bnas_deploy

    with pytest.raises(AttributeError, match="nonsense"):
        _ = bnas_deploy.nonsense


def test_time_of_import_is_reported(record_property: object) -> None:
    code = (
        "import time; t = time.perf_counter(); import bnas_deploy; print(time.perf_counter() - t)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    seconds = float(done.stdout)
    record_property("import_seconds", seconds)
    sys.stdout.write(f"import bnas_deploy: {seconds * 1e3:.0f} ms\n")
    assert seconds > 0
