"""Weights of signs behind a clip to [-1, 1] are a warning, as exporters lose `input.data = …`."""

from __future__ import annotations

import numpy as np
import pytest
from support.onnx_models import OnnxModel, imported

from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.errors import ConversionError


def lost(result):
    found = [warning for warning in result.report.warnings if warning.code == "lost-sign"]
    return [warning.text for warning in found]


def test_the_first_binary_networks_of_pytorch(tmp_path):
    m = OnnxModel((64,))
    x = m.add("Gemm", m.add("Clip", "x", -1.0, 1.0), m.signs(64, 64), m.normal(64))
    x = m.add("Gemm", m.add("Clip", m.norm(x, 64), -1.0, 1.0), m.signs(64, 64), m.normal(64))
    path = m.save(tmp_path, m.add("Gemm", m.add("Clip", x, -1.0, 1.0), m.signs(64, 4)))
    with pytest.raises(ConversionError, match="was a sign lost in the export"):
        convert_onnx(path)
    result = imported(path)
    (note,) = lost(result)
    assert note.startswith("3 layers have weights of one magnitude behind a clip to [-1, 1]")
    assert "export again" in note


def test_a_pool_between_hides_nothing(tmp_path):
    m = OnnxModel()
    x = m.add("MaxPool", m.add("Clip", m.norm("x", 6), -1.0, 1.0), kernel_shape=[2, 2])
    x = m.add("Conv", x, m.signs(8, 6, 3, 3) * np.float32(0.3))
    (note,) = lost(imported(m.save(tmp_path, m.float_head(x, 8))))
    assert note.startswith("1 layer has")


OTHERS = {
    "a sign": lambda m, x: m.binary(m.add("Sign", m.add("Clip", x, -1.0, 1.0)), 6, 8),
    "real weights": lambda m, x: m.add("Conv", m.add("Clip", x, -1.0, 1.0), m.normal(8, 6, 3, 3)),
    "another clip": lambda m, x: m.add("Conv", m.add("Clip", x, 0.0, 6.0), m.signs(8, 6, 3, 3)),
    "one weight": lambda m, x: m.add(
        "Conv", m.add("Clip", x, -1.0, 1.0), m.normal(6, 1, 1, 1), group=6
    ),
    "a layer that cancels": lambda m, x: m.add(
        "Sub", m.add("Add", x, clipped := m.binary(m.add("Clip", x, -1.0, 1.0), 6, 6)), clipped
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_nothing_else_is_a_warning(other, tmp_path):
    m = OnnxModel()
    x = OTHERS[other](m, m.norm("x", 6))
    channels = 6 if other in ("one weight", "a layer that cancels") else 8
    assert not lost(imported(m.save(tmp_path, m.float_head(x, channels))))
