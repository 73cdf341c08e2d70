"""The report counts the layers of the user's model, and warns of what its user must know."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from support.onnx_models import OnnxModel
from support.random_networks import random_network

from bnas_deploy.cli.export import command as export
from bnas_deploy.cli.import_model.command import main
from bnas_deploy.converters import convert_network
from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.converters.packing.report_text import report_lines

WARNED = 3


def report_of(path, **options):
    return convert_onnx(path, allow_float=True, images=0, **options)[1]


def text_of(report):
    return "\n".join(report_lines(report))


def mixed(folder):
    """Three layers: in float, of signs, and of two levels that are not opposite (AdaBin)."""
    m = OnnxModel((3, 8, 8))
    x = m.add("Conv", "x", m.normal(16, 3, 3, 3), m.normal(16), pads=[1] * 4)
    first = m.nodes[-1].name
    x = m.binary(m.add("Sign", x), 16, 16)
    second = m.nodes[-1].name
    levels = 0.3 + 0.5 * m.signs(16, 16, 3, 3)
    x = m.add("Conv", m.add("Sign", m.norm(x, 16)), levels.astype(np.float32), pads=[1] * 4)
    third = m.nodes[-1].name
    x = m.float_head(x, 16)
    return m.save(folder, x), [first, second, third, x]


def test_layers_are_those_of_the_model(tmp_path):
    path, names = mixed(tmp_path)
    report = report_of(path)
    assert [layer.name for layer in report.layers] == names
    assert [layer.op for layer in report.layers] == ["Conv", "Conv", "Conv", "Gemm"]
    assert [layer.runs for layer in report.layers] == ["float32", "binary", "binary", "float32"]
    assert [layer.weights for layer in report.layers] == [432, 2304, 2304, 64]
    reasons = [bool(layer.reason) for layer in report.layers]
    assert reasons == [True, False, False, True]
    assert report.binary_convolutions == (2, 2)
    assert report.binary_weights[0] == 2 * 2304
    assert report.binary_weights[1] > 2 * 2304  # one more filter
    assert "layers of the model: 4, 2 binary, 2 in float32; 4,608 binary weights" in text_of(report)
    assert report.summary()["layers"] == {"float32": 2, "binary": 2}


def test_layers_in_8_bits(tmp_path):
    path, _ = mixed(tmp_path)
    images = np.random.default_rng(0).random((8, 3, 8, 8), np.float32)
    report = report_of(path, eight_bit=EightBitOptions(("stem", "classifier"), images))
    assert [layer.runs for layer in report.layers] == ["8 bits", "binary", "binary", "8 bits"]
    assert "2 binary, 2 in 8 bits;" in text_of(report)


def test_what_the_conversion_adds_is_no_layer(tmp_path):
    m = OnnxModel((4, 8, 8))
    x = m.add("SpaceToDepth", "x", blocksize=2)  # a convolution with a single 1 a channel
    x = m.add("AveragePool", x, kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1)
    x = m.binary(m.add("Sign", m.norm(x, 16)), 16, 8)
    name = m.nodes[-1].name
    report = report_of(m.save(tmp_path, m.head(x, 8)))
    assert [layer.name for layer in report.layers] == [name, m.nodes[-1].name]
    assert report.binary_convolutions == (2, 2)
    reasons = {kept.reason for kept in report.kept if kept.op == "conv"}
    assert "its average counts the padding" in reasons
    assert "the network has it in full precision" not in reasons


def test_a_layer_that_cancels_is_no_layer(tmp_path):
    m = OnnxModel()
    x = m.norm("x", 6)
    other = m.binary(m.add("Sign", x), 6, 6)
    y = m.add("Sub", m.add("Add", m.add("Relu", x), other), other)
    y = m.binary(m.add("Sign", m.norm(y, 6)), 6, 8)
    name = m.nodes[-1].name
    report = report_of(m.save(tmp_path, m.head(y, 8)))
    assert [layer.name for layer in report.layers][:-1] == [name]


def test_foreign_models_hear_no_words_of_our_cells_and_no_zeros(tmp_path):
    path, _ = mixed(tmp_path)
    text = text_of(report_of(path))
    assert "Zeroise" not in text
    assert not [line for line in text.splitlines() if line.strip().startswith("0 ")]
    assert "removed:" not in text


def test_layers_of_a_network_of_ours():
    report = convert_network(random_network(0))[1]
    kinds = {layer.runs for layer in report.layers}
    assert {"binary", "float32"} <= kinds
    assert "edges that are Zeroise" in text_of(report)
    binary = [layer for layer in report.layers if not layer.reason]
    assert report.binary_convolutions[0] == len(binary)
    assert not report.warnings


def test_box_filters_of_a_scale_are_no_layers():
    plain, scaled = (random_network(1, activation_scale=scale) for scale in (False, True))
    names = [[x.name for x in convert_network(n)[1].layers] for n in (plain, scaled)]
    assert names[0] == names[1]


def test_no_binary_layer_is_loud(tmp_path, capsys):
    m = OnnxModel((3, 8, 8))
    x = m.add("Relu", m.add("Conv", "x", m.normal(8, 3, 3, 3)))
    path = m.save(tmp_path, m.float_head(x, 8))
    assert main([str(path), "--allow-float", "--json"]) == WARNED
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert [warning["code"] for warning in report["warnings"]] == ["no-binary-layer"]
    assert [layer["runs"] for layer in report["layers"]] == ["float32", "float32"]
    assert err.startswith("warning [no-binary-layer]: none of the 2 layers of this model is binary")
    assert path.with_suffix(".bnn").exists()


@pytest.mark.parametrize("command", [main, export.main])
def test_a_lost_sign_is_loud(command, tmp_path, capsys):
    m = OnnxModel((64,))
    x = m.add("Gemm", m.add("Clip", "x", -1.0, 1.0), m.signs(64, 64), m.normal(64))
    x = m.add("Gemm", m.add("Sign", m.norm(x, 64)), m.signs(64, 64), m.normal(64))
    path = m.save(tmp_path, m.add("Gemm", m.add("Clip", x, -1.0, 1.0), m.signs(64, 4)))
    assert command([str(path), "--allow-float"]) == WARNED
    out, err = capsys.readouterr()
    assert "layers of the model: 3, 1 binary, 2 in float32; 4,096 binary weights" in out
    assert err.startswith("warning [lost-sign]: 2 layers have weights of one magnitude behind")
    assert "export again" in err


def test_a_choice_of_sign_zero_that_matters_is_loud(tmp_path, capsys):
    m = OnnxModel((1, 16, 16))
    x = m.add("Conv", "x", m.normal(16, 1, 3, 3), strides=[2, 2])
    x = m.binary(m.add("Sign", x), 16, 16)
    path = m.save(tmp_path, m.head(m.norm(x, 16), 16))
    args = [str(path), "--allow-float", "--json"]
    assert main([*args, "--sign-zero", "plus"]) == WARNED
    out, err = capsys.readouterr()
    assert [warning["code"] for warning in json.loads(out)["warnings"]] == ["sign-zero"]
    assert "pass --sign-zero exact" in err
    assert main([*args, "--sign-zero", "exact"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["warnings"], err) == ([], "")


def halved(path):
    """The same model with its weights in half precision."""
    proto = onnx.load(path)
    for tensor in proto.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype == np.float32:
            tensor.CopyFrom(onnx.numpy_helper.from_array(array.astype(np.float16), tensor.name))
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    first, last = proto.graph.input[0], proto.graph.output[0]
    inside, outside = first.name, last.name
    for node in proto.graph.node:
        node.input[:] = ["x16" if name == inside else name for name in node.input]
        node.output[:] = ["y16" if name == outside else name for name in node.output]
    for value in (first, last):
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    cast = onnx.helper.make_node("Cast", [inside], ["x16"], name="in", to=onnx.TensorProto.FLOAT16)
    back = onnx.helper.make_node("Cast", ["y16"], [outside], name="out", to=onnx.TensorProto.FLOAT)
    nodes = [cast, *proto.graph.node, back]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    onnx.save(proto, path)
    return path


def test_a_file_larger_than_its_source_is_loud(tmp_path, capsys):
    m = OnnxModel((16, 6, 6))
    x = m.add("Relu", m.add("Conv", "x", m.normal(128, 16, 3, 3)))
    x = m.add("Conv", x, m.normal(64, 128, 3, 3))
    path = halved(m.save(tmp_path, m.head(x, 64)))
    assert main([str(path), "--allow-float"]) == WARNED
    err = capsys.readouterr().err
    size = path.with_suffix(".bnn").stat().st_size
    assert size > path.stat().st_size
    assert err.startswith(
        "warning [larger-than-source]: the packed file is larger than the model's:"
        f" {size:,} bytes, from {path.stat().st_size:,}; the report lists them by kind."
        " 92,160 weights stay in float32: --eight-bit all"
    )
    assert err.count("\n") == 1
