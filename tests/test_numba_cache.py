"""Numba's cache: the guess whether Numba will compile, and a cache that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bnas_deploy.numba_cache import is_compiled


@pytest.fixture
def function(tmp_path: Path) -> SimpleNamespace:
    stats = SimpleNamespace(cache_path=str(tmp_path))
    return SimpleNamespace(signatures=[], py_func=test_index_file, stats=stats)


def index_file(tmp_path: Path, name: str = "test_index_file") -> Path:
    code = test_index_file.__code__
    major, minor, *_ = sys.version_info
    return tmp_path / f"test_numba_cache.{name}-{code.co_firstlineno}.py{major}{minor}.nbi"


def test_index_file(function: SimpleNamespace, tmp_path: Path) -> None:
    assert not is_compiled(function)
    index_file(tmp_path, "other").touch()
    assert not is_compiled(function)
    path = index_file(tmp_path)
    path.touch()
    assert is_compiled(function)
    os.utime(path, (1, 1))  # older than the function's file
    assert not is_compiled(function)


def test_this_process(function: SimpleNamespace) -> None:
    function.signatures = ["one"]
    assert is_compiled(function)


def test_a_plain_function_is_never_compiled() -> None:
    assert is_compiled(index_file)


KEPT = """
import resource, signal, sys, warnings
import numpy as np
from bnas_deploy.numba_cache import is_compiled, jitted
from mine import double
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if sys.argv[1:] == ["full"]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    compiled = jitted(double, nogil=True)
    print(is_compiled(compiled), compiled(21), [str(each.message) for each in told])
"""


def kept(tmp_path: Path, folder: Path, *arguments: str, **more: str) -> str:
    if not (tmp_path / "mine.py").exists():  # a file that is written again is compiled again
        (tmp_path / "mine.py").write_text("def double(x):\n    return 2 * x\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", KEPT, *arguments],
        env={**os.environ, "PYTHONPATH": path, "NUMBA_CACHE_DIR": str(folder), **more},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_code_is_kept(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    assert kept(tmp_path, tmp_path / "cache") == "False 42 []\n"
    assert kept(tmp_path, tmp_path / "cache") == "True 42 []\n"


@pytest.mark.skipif(sys.platform == "win32", reason="has no limits of file sizes")
def test_a_full_disk_costs_time_alone(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    told = kept(tmp_path, tmp_path / "cache", "full")
    assert told.startswith("False 42 [")
    assert "cannot be kept on disk ([Errno 27]" in told


def test_a_folder_that_cannot_be_made_costs_time_alone(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    (tmp_path / "file").touch()
    (tmp_path / "__pycache__").touch()
    nowhere = str(tmp_path / "file" / "home")
    told = kept(tmp_path, tmp_path / "file" / "cache", HOME=nowhere, XDG_CACHE_HOME=nowhere)
    assert told.startswith("False 42 [")
    assert "cannot be kept on disk (" in told
