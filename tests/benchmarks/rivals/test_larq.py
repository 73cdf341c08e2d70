"""Tests of the process that runs larq's interpreter, with a stand-in for larq's package."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from rivals import larq

STAND_IN = """
class Interpreter:
    def __init__(self, content, num_threads, use_xnnpack=False, use_indirect_bgemm=False):
        assert (content, num_threads) == (b"model", 1)
        self.factor, self.interpreter = 1 + use_xnnpack + 2 * use_indirect_bgemm, self

    def predict(self, x):
        return self.factor * x[0] if isinstance(x, list) else self.factor * x.reshape(len(x), -1)
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "larq_compute_engine" / "tflite" / "python"
    package.mkdir(parents=True)
    (package / "interpreter.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = tmp_path / "net.tflite"
    path.write_bytes(b"model")
    return path


def test_every_option_answers_and_is_timed(model: Path) -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 1, 1, 3)
    rivals = larq.Interpreters(sys.executable, model, x)
    for factor, answers in enumerate(rivals.answers, 1):
        np.testing.assert_array_equal(answers, factor * x.reshape(2, 3))
    times = rivals.times(3, 4)
    assert len(times) == 4
    assert all(wall > 0 and cpu >= 0 for wall, cpu in times)
    rivals.close()


def test_a_process_that_ends_is_an_error(model: Path) -> None:
    model.write_bytes(b"another")
    with pytest.raises(RuntimeError, match="ended with status 1"):
        larq.Interpreters(sys.executable, model, np.zeros((1, 1, 1, 1), np.float32))
