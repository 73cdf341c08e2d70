"""Every layer class of the papers is binary as PyTorch exports it, and answers as PyTorch does."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from support.binary_layer_classes import LAYERS, network
from support.onnx_models import imported

from bnas_deploy import engine


def exported(model, path, exporter):
    example = (torch.randn(2, 3, 10, 12),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if exporter == "TorchScript":
            axes = {"x": {0: "N"}}
            torch.onnx.export(
                model, example, str(path), dynamo=False, input_names=["x"], dynamic_axes=axes,
                opset_version=17,
            )  # fmt: skip
        else:
            pytest.importorskip("onnxscript", reason="PyTorch's new exporter needs it")
            shapes = ({0: torch.export.Dim("N")},)
            torch.onnx.export(
                model, example, str(path), dynamo=True, input_names=["x"], dynamic_shapes=shapes,
                external_data=False,
            )  # fmt: skip
    return path


@pytest.mark.parametrize("exporter", ["TorchScript", "torch.export"])
@pytest.mark.parametrize("layer", LAYERS)
def test_layer_classes(layer, exporter, tmp_path):
    model = network(layer)
    path = exported(model, tmp_path / "model.onnx", exporter)
    images = np.random.default_rng(0).standard_normal((24, 3, 10, 12)).astype(np.float32)
    images[8:16, :, 3:] = 0  # half black
    images[16:] = np.rint(images[16:] * 100)
    result = imported(path, images=images)
    floats = [kept.op for kept in result.report.kept if kept.op in ("conv", "linear")]
    gates = 2 * 2 * (layer == "real-to-binary")
    assert sorted(floats) == ["conv", "linear", *["linear"] * gates]
    with torch.no_grad():
        expected = model(torch.from_numpy(images)).numpy()
    got = engine.create(result.model).run(images)
    assert (got.argmax(1) == expected.argmax(1)).all()
