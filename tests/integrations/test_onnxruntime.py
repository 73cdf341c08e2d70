"""Tests of a packed network as a node of ONNX Runtime: its bits, and files that changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxruntime_extensions", reason="onnxruntime-extensions is not installed")

import onnx
from onnx import TensorProto, helper
from support.small_models import mean_colour_model, picture_model, written

import bnas_deploy
from bnas_deploy.errors import FormatError
from bnas_deploy.integrations.onnxruntime import as_model, as_node, open_session


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path, picture_model())


def images(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, 3, 8, 8)).astype("f4")


@pytest.mark.parametrize("threads", [1, 2])
def test_the_bits_of_the_engine(path: Path, threads: int) -> None:
    model = as_model(path, threads=threads)
    onnx.checker.check_model(model)
    running = open_session(model)
    for count in (1, 5):
        (found,) = running.run(None, {"images": images(count)})
        assert found.tobytes() == bnas_deploy.load(path).run(images(count)).tobytes()


def test_between_other_nodes(path: Path) -> None:
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["scaled"]),
        as_node(path, "scaled", "logits"),
        helper.make_node("ArgMax", ["logits"], ["best"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "pipeline",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info("best", TensorProto.INT64, ["N"])],
        [helper.make_tensor("two", TensorProto.FLOAT, [], [2.0])],
    )
    opsets = list(as_model(path).opset_import)
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    (best,) = open_session(model).run(None, {"x": images(7)})
    assert best.tolist() == bnas_deploy.load(path).run(2 * images(7)).argmax(1).tolist()


def test_a_file_that_changed_is_refused(path: Path) -> None:
    model = as_model(path)
    written(path.parent, mean_colour_model())
    with pytest.raises(FormatError, match="changed since the model was loaded"):
        open_session(model)


def run_elsewhere(*words: Path, by: str) -> subprocess.CompletedProcess[str]:
    """Run a model on images in another process, as (model, images, logits)."""
    code = (
        "import sys, numpy as np, onnxruntime\n"
        "from bnas_deploy.integrations.onnxruntime import open_session, session_options\n"
        f"s = {by}\n"
        "np.save(sys.argv[3], s.run(None, {'images': np.load(sys.argv[2])})[0])\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_saved_and_run_elsewhere(path: Path, tmp_path: Path) -> None:
    onnx.save(as_model(path), tmp_path / "network.onnx")
    np.save(tmp_path / "x.npy", images(3))
    words = [tmp_path / name for name in ("network.onnx", "x.npy", "y.npy")]
    done = run_elsewhere(*words, by="open_session(sys.argv[1])")
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "y.npy")
    assert found.tobytes() == bnas_deploy.load(path).run(images(3)).tobytes()
    path.unlink()
    plain = "onnxruntime.InferenceSession(sys.argv[1], session_options())"
    done = run_elsewhere(*words, by=plain)
    assert done.returncode != 0
    assert "error: " in done.stderr
    assert "no such file" in done.stderr


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nix\.bnn"):
        as_model(tmp_path / "nix.bnn")
