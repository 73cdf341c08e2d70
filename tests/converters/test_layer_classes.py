"""Every layer class of the papers is binary however it comes here, and answers as PyTorch does."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from support.binary_layer_classes import LAYERS, network
from support.onnx_models import imported

import bnas_deploy
from bnas_deploy import engine

EXAMPLE = torch.zeros(2, 3, 10, 12)


def by_torchscript(model, path, images):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (EXAMPLE,), str(path), dynamo=False, input_names=["x"],
            dynamic_axes={"x": {0: "N"}}, opset_version=17,
        )  # fmt: skip
    return imported(path, images=images)


def by_new_exporter(model, path, images):
    pytest.importorskip("onnxscript", reason="PyTorch's new exporter needs it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (EXAMPLE,), str(path), dynamo=True, input_names=["x"],
            dynamic_shapes=({0: torch.export.Dim("N")},), external_data=False,
        )  # fmt: skip
    return imported(path, images=images)


def directly(model, path, images):
    return bnas_deploy.convert(model, EXAMPLE, allow_float=True, images=images)


@pytest.mark.parametrize("road", [by_torchscript, by_new_exporter, directly])
@pytest.mark.parametrize("layer", LAYERS)
def test_layer_classes(layer, road, tmp_path):
    model = network(layer)
    images = np.random.default_rng(0).standard_normal((24, 3, 10, 12)).astype(np.float32)
    images[8:16, :, 3:] = 0  # half black
    images[16:] = np.rint(images[16:] * 100)
    packed, report = road(model, tmp_path / "model.onnx", images)
    floats = [kept.op for kept in report.kept if kept.op in ("conv", "linear")]
    gates = 2 * 2 * (layer == "real-to-binary")
    assert sorted(floats) == ["conv", "linear", *["linear"] * gates]
    with torch.no_grad():
        expected = model(torch.from_numpy(images)).numpy()
    got = engine.create(packed).run(images)
    assert (got.argmax(1) == expected.argmax(1)).all()
