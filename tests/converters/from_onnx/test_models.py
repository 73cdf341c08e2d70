"""Whole models: opsets, batches, flattened images, an MLP, a ResNet, what PyTorch exports."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from support.onnx_models import OnnxModel, imported, steps


@pytest.mark.parametrize("opset", range(11, 24))
def test_opsets(opset, tmp_path):
    m = OnnxModel(opset=opset)
    x = m.binary(m.add("Sign", m.norm("x", 6)), 6, 8)
    axes = {"axes": [2, 3]} if opset < 18 else {}
    mean = m.add("ReduceMean", x, *([] if axes else [m.whole(2, 3)]), keepdims=0, **axes)
    y = m.add("Gemm", m.add("Sign", m.add("Sub", mean, 0.1)), m.signs(4, 8), m.normal(4), transB=1)
    imported(m.save(tmp_path, y), allow_float=False)


def flattened_by_view(m, x):
    """x.view(x.size(0), -1) as PyTorch writes it."""
    first = m.add("Gather", m.add("Shape", x), m.const(0, np.int64), axis=0)
    batch = m.add("Unsqueeze", first, m.whole(0))
    return m.add("Reshape", x, m.add("Concat", batch, m.whole(-1), axis=0))


FLATTENED = {
    "Flatten": lambda m, x: m.add("Flatten", x),
    "Reshape 0 -1": lambda m, x: m.add("Reshape", x, m.whole(0, -1)),
    "Reshape -1 K": lambda m, x: m.add("Reshape", x, m.whole(-1, 8 * 35)),
    "view": flattened_by_view,
}


@pytest.mark.parametrize("spelling", FLATTENED)
def test_a_linear_layer_as_large_as_the_image(spelling, tmp_path):
    m = OnnxModel()
    x = m.binary(m.add("Sign", m.norm("x", 6)), 6, 8)
    x = FLATTENED[spelling](m, m.add("Sign", m.norm(x, 8)))
    y = m.add("MatMul", x, m.signs(8 * 35, 4))
    assert steps(imported(m.save(tmp_path, y), allow_float=False)).count("binary_conv2d") == 2


@pytest.mark.parametrize("batch", [1, 4, "N"])
def test_fixed_and_dynamic_batch(batch, tmp_path):
    m = OnnxModel()
    x = m.binary(m.add("Sign", m.norm("x", 6)), 6, 8)
    y = m.add("MatMul", flattened_by_view(m, m.add("Sign", m.norm(x, 8))), m.signs(280, 4))
    imported(m.save(tmp_path, y, batch=batch), allow_float=False)


def test_initialisers_as_inputs(tmp_path):
    m = OnnxModel()
    y = m.head(m.binary(m.add("Sign", m.norm("x", 6)), 6, 8), 8)
    imported(m.save(tmp_path, y, initialisers_as_inputs=True), allow_float=False)


def test_a_mlp_of_1024(tmp_path):
    m = OnnxModel((1024,))
    x = m.add("Sign", m.norm("x", 1024))
    for _ in range(3):
        x = m.add("Sign", m.norm(m.add("MatMul", x, m.signs(1024, 1024)), 1024))
    x = m.add("Mul", m.add("Gemm", x, m.signs(10, 1024), transB=1), 0.03)
    result = imported(m.save(tmp_path, m.norm(x, 10)), allow_float=False)
    assert steps(result) == ["binarize", *["binary_conv2d"] * 4]


@pytest.mark.parametrize("border", [-1.0, 0.0, 1.0])
def test_a_small_resnet(border, tmp_path):
    m = OnnxModel((3, 16, 16))
    x = m.add("Relu", m.norm(m.add("Conv", "x", m.normal(8, 3, 3, 3), pads=[1] * 4), 8))
    inputs = 8
    for outputs, stride in ((8, 1), (16, 2), (16, 1)):
        bits = m.add("Where", m.add("GreaterOrEqual", m.norm(x, inputs), 0.0), 1.0, -1.0)
        bits = m.add("Pad", bits, m.whole(0, 0, 1, 1, 0, 0, 1, 1), border)
        y = m.norm(m.binary(bits, inputs, outputs, pad=0, strides=[stride] * 2), outputs)
        if stride == 2:
            x = m.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            x = m.norm(m.add("Conv", x, m.normal(outputs, inputs, 1, 1)), outputs)
        x, inputs = m.add("PRelu", m.add("Add", y, x), m.normal(outputs, 1, 1)), outputs
    result = imported(m.save(tmp_path, m.float_head(x, 16)))
    assert steps(result).count("binary_conv2d") == 3


def test_networks_as_pytorch_exports_them(tmp_path):
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn, self.act = nn.BatchNorm2d(6), nn.PReLU(8)
            self.weight = nn.Parameter(torch.randn(8, 6, 3, 3))
            self.fc = nn.Linear(8, 4)

        def forward(self, x):
            scale = self.weight.abs().mean((1, 2, 3), keepdim=True)
            y = nn.functional.conv2d(
                torch.sign(self.bn(x)), torch.sign(self.weight) * scale, padding=1
            )
            y = nn.functional.adaptive_avg_pool2d(nn.functional.hardtanh(self.act(y)), 1)
            return self.fc(y.view(y.size(0), -1))

    torch.manual_seed(0)
    path = tmp_path / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Net().eval(), (torch.randn(1, 6, 7, 5),), str(path), dynamo=False,
            input_names=["x"], dynamic_axes={"x": {0: "N"}}, opset_version=13,
        )  # fmt: skip
    result = imported(path)
    assert [kept.op for kept in result.report.kept if kept.op != "affine"] == ["linear"]
