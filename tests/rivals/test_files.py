"""Tests of engines that run files: each gives PyTorch's answers within what is stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bnas_deploy.errors import BackendError
from bnas_deploy.plain.registry import NETWORKS
from bnas_deploy.rivals import onnx_export, torch_float
from bnas_deploy.rivals.engines import within_tolerance
from bnas_deploy.rivals.files import FILE_ENGINES, load, missing
from bnas_deploy.rivals.random_weights import noise, random_network

SIZE = 8


@pytest.fixture(scope="module")
def network():
    return random_network(replace(NETWORKS["resnet8"], image_size=SIZE), binary=False)


@pytest.fixture(scope="module")
def files(network):
    """What of `FILE_ENGINES` can be made here."""
    batch = noise(SIZE, 8)
    names = {"float.onnx": False, "int8.onnx": True}
    made = {n: onnx_export.export(network, batch, int8=int8) for n, int8 in names.items()}
    if not missing("litert-int8"):
        from bnas_deploy.rivals import litert

        made["float.tflite"] = litert.export(network, batch[:1])
        made["int8.tflite"] = litert.quantize(made["float.tflite"], batch)
    return made


@pytest.mark.parametrize("name", FILE_ENGINES)
def test_answers_are_pytorchs(name, files, network):
    if missing(name):
        pytest.skip(missing(name))
    engine = FILE_ENGINES[name]
    loaded, images = load(name, files[engine.file]), noise(SIZE, 4)
    right = torch_float.runner(network)(images)
    answers = np.concatenate([loaded.run(image[None]) for image in images])
    assert engine.fault(answers, right) == ""
    assert loaded.handed(images[:1])() is not None


def test_int8_files_are_smaller(files):
    assert len(files["int8.onnx"]) < 0.5 * len(files["float.onnx"])


def test_answers_that_are_off_are_faults():
    right = noise(SIZE, 4).reshape(4, -1)
    exact, rounded = FILE_ENGINES["openvino-float32"], FILE_ENGINES["openvino-int8"]
    near = right + 0.001
    assert exact.fault(near, right).endswith("% off PyTorch's")
    assert rounded.fault(near, right) == ""
    assert rounded.fault(-right, right) == "its answers correlate with PyTorch's by -1.00 only"
    assert "nan" in rounded.fault(np.full_like(right, np.nan), right)
    assert "nan" in exact.fault(np.full_like(right, np.nan), right)


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert missing("litert-int8") == "ai_edge_litert is not installed"


def test_a_wrong_answer_is_refused():
    right = np.array([[1.0, -2.0]], np.float32)
    within_tolerance("onnxruntime-int8", right + 0.19, right)
    with pytest.raises(BackendError, match=r"onnxruntime-int8 is 10\.5% off PyTorch"):
        within_tolerance("onnxruntime-int8", right + 0.21, right)


def test_no_answer_is_refused():
    right = np.ones((1, 2), np.float32)
    with pytest.raises(BackendError):
        within_tolerance("openvino-int8", np.full((1, 2), np.nan, np.float32), right)
