"""Tests of the guess whether Numba will compile."""

from __future__ import annotations

import os
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
