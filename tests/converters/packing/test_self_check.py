"""What a self-check finds: wrong conversions of each front end, and right ones that differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.onnx_models import OnnxModel
from support.random_networks import random_network
from support.release_checkpoints import ZEROISE, trained
from support.tflite_models import TfliteNet
from torch import nn

from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.converters.from_onnx.source import onnx_source
from bnas_deploy.converters.from_program.export import exported_module
from bnas_deploy.converters.from_program.source import program_source
from bnas_deploy.converters.from_release.source import read as read_release
from bnas_deploy.converters.from_tflite.source import read as read_tflite
from bnas_deploy.converters.from_torch.source import network_source
from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.graph.evaluate import evaluate, trace
from bnas_deploy.converters.packing.check import CheckOptions, check
from bnas_deploy.converters.packing.convert import convert_source
from bnas_deploy.converters.packing.failure import CheckFailure
from bnas_deploy.converters.packing.inputs import structured
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.pack import pack
from bnas_deploy.converters.packing.parting import first_parting
from bnas_deploy.converters.packing.report_text import check_lines
from bnas_deploy.converters.packing.source import Inside, Original, Source
from bnas_deploy.converters.signs import bits
from bnas_deploy.errors import ConversionError

CHECK = CheckOptions(8, "reference")


def digits(folder, *, depthwise=False):
    """A network that takes the sign of what a layer without bias makes of a black picture."""
    m = OnnxModel(dims=(1, 16, 16))
    x = m.add("Conv", "x", m.normal(16, 1, 3, 3), strides=[2, 2])
    if depthwise:
        shift = m.const(-abs(m.normal(16)))
        x = m.add("Relu", m.add("Conv", "x", m.normal(16, 1, 3, 3), shift, strides=[2, 2]))
        x = m.add("Conv", x, m.normal(16, 1, 3, 3), group=16, pads=[1] * 4)
    x = m.binary(m.add("Sign", x), 16, 16)
    layer = m.nodes[-1].name
    return m.save(folder, m.head(m.norm(x, 16), 16)), layer


def test_black_pictures_show_what_sign_zero_plus_does(tmp_path):
    path, layer = digits(tmp_path)
    report = convert_onnx(path, sign_zero="plus", allow_float=True)[1]
    found = {kind.kind: kind for kind in report.self_check.kinds}
    assert report.self_check.relative_error < 1e-5  # noise does not show it
    assert (found["black"].why, found["black"].layer) == ("sign-zero", layer)
    assert found["black"].relative_error > 0.1
    assert not found["white"].why
    assert f"as Sign(0) counts as +1, first at {layer}" in "\n".join(check_lines(report.self_check))


@pytest.mark.parametrize("mode", ["auto", "exact"])
@pytest.mark.parametrize("depthwise", [False, True])
def test_right_answers_pass_on_all_kinds(mode, depthwise, tmp_path):
    path, _ = digits(tmp_path, depthwise=depthwise)
    report = convert_onnx(path, sign_zero=mode, allow_float=True)[1]
    kinds = report.self_check.kinds
    assert len(kinds) == 7
    assert all(kind.relative_error < 1e-5 and not kind.why for kind in kinds)


def test_a_zero_that_was_overlooked_is_refused_with_kind_layer_and_option(tmp_path, monkeypatch):
    path, layer = digits(tmp_path)
    monkeypatch.setattr(bits, "may_vanish", lambda imports, x: np.zeros(imports.shape(x)[0], bool))
    with pytest.raises(CheckFailure) as caught:
        convert_onnx(path, allow_float=True, backend="reference")
    error = caught.value
    assert (error.kind, error.layer, error.option) == ("black", layer, "--sign-zero exact")
    head, where, what = error.lines
    assert head.startswith("self-check failed on 1 picture (black): the packed program (reference)")
    assert where.startswith(f"they first part at {layer}:")
    assert "of exactly 0, which ONNX Runtime takes for 0 and the packed program for +1" in where
    assert "--sign-zero exact" in what


def test_a_relu_before_a_depthwise_layer_names_the_option(tmp_path):
    path, layer = digits(tmp_path, depthwise=True)
    with pytest.raises(CheckFailure) as caught:
        convert_onnx(path, sign_zero="plus", allow_float=True)
    assert (caught.value.layer, caught.value.option) == (layer, "--sign-zero exact")
    assert "on 32 random images" in caught.value.lines[0]


def negated(source, name):
    """The source with the weights of one node of its graph negated."""
    nodes = tuple(
        node.with_constants(weight=-node.constants["weight"]) if node.name == name else node
        for node in source.graph.nodes
    )
    return replace(source, graph=replace(source.graph, nodes=nodes))


def onnx_model(folder):
    path, layer = digits(folder)
    return onnx_source(ModelFile(path), allow_float=True), layer, layer


def our_network(folder):
    return network_source(random_network(1)), "cell1.preprocess0", "cells.1.preprocess0"


def release(folder):
    path = folder / "weights.pt"
    torch.save(trained(6, 8, ZEROISE, 4, imagenet=False), path)
    return read_release(ModelFile(path)), "cell1.preprocess0", "cells.1.preprocess0"


@pytest.mark.parametrize("made", [onnx_model, our_network, release])
def test_a_wrong_layer_is_named_as_in_the_users_model(made, tmp_path):
    source, node, layer = made(tmp_path)
    with pytest.raises(CheckFailure, match="bug of the converter: please report it") as caught:
        convert_source(negated(source, node), check_options=CHECK)
    assert caught.value.layer == layer
    assert "given the same inputs" in caught.value.lines[1]


def test_a_wrong_program_is_told_from_a_wrong_graph():
    source = network_source(random_network(1))
    model, _ = pack(source)
    wrong = {**model.tensors, "classifier.weight": -model.tensors["classifier.weight"]}
    with pytest.raises(CheckFailure, match="--backend reference") as caught:
        check(source, replace(model, tensors=wrong), CHECK)
    assert caught.value.layer == "classifier"
    assert "given the same inputs" not in caught.value.lines[1]


def test_what_a_network_makes_inside_is_what_its_graph_makes():
    source = network_source(random_network(1))
    images = structured(source.graph.input_shape, source.preprocessing)["drawings"]
    inside = source.original.inside
    made, graph = inside.run(images, list(inside.layers)), trace(source.graph, images)
    compared = [n for n in made if made[n].shape == graph[inside.layers[n]].shape]
    assert {"stem", "cells.1", "cells.1.preprocess0"} <= set(compared)
    assert np.allclose(made["stem"], graph[inside.layers["stem"]], atol=1e-5)
    assert first_parting(source.graph, source.original, images) is None


def near_a_threshold(*, inside=True):
    """A graph whose white pictures lie within rounding of a sign's threshold, and an original."""
    build = GraphBuilder((1, 4, 4))
    at = 1 - 2.0**-22
    ones = np.ones(1, np.float32)
    constants = {"weight": ones, "bias": np.float32(-at) * ones, "mean": 0 * ones, "var": ones}
    x = build.add("batch_norm", "norm", ("image",), {"eps": 0.0}, constants)
    x = build.add("sign", "sign", (x,), {"zero_sign": 1})
    weight = np.ones((8, 1, 3, 3), np.int8)
    weight[::2] = -1
    window = {"stride": (1, 1), "padding": (0,) * 4, "dilation": (1, 1), "activation": "none"}
    scale = {"weight": weight, "scale": np.ones(8, np.float32)}
    x = build.add("binary_conv", "conv", (x,), window, scale)
    x = build.add("global_avg_pool", "pool", (x,))
    head = {"weight": np.eye(8, dtype=np.float32), "bias": np.zeros(8, np.float32)}
    graph = build.graph(build.add("linear", "head", (x,), {}, head))

    def moved(images):
        return (images * np.float32(1 - 2.0**-21)).astype(np.float32)

    own = Inside(
        {"Conv": "conv"}, lambda images, names: {"Conv": trace(graph, moved(images))["conv"]}
    )
    original = Original(lambda x: evaluate(graph, moved(x)), "a test", own if inside else None)
    return Source(graph=graph, name="tie", parameters=1, original=original)


@pytest.mark.parametrize("inside", [True, False])
def test_a_sign_within_rounding_of_its_threshold_is_no_wrong_conversion(inside):
    report = convert_source(near_a_threshold(inside=inside), check_options=CHECK)[1]
    found = {kind.kind: kind for kind in report.self_check.kinds}
    assert found["white"].why == "roundings"
    assert found["white"].relative_error > 1
    assert not found["black"].why
    assert "every layer agrees" in "\n".join(check_lines(report.self_check))


def test_the_pictures_of_calibration_are_checked_too():
    source = network_source(random_network(1))
    images = structured(source.graph.input_shape, source.preprocessing)["drawings"]
    options = EightBitOptions(("shortcut",), np.repeat(images, 20, axis=0))
    report = convert_source(source, check_options=CHECK, eight_bit=options)[1]
    last = report.self_check.kinds[-1]
    assert (last.kind, last.images, last.same_answer) == ("calibration pictures", 32, 32)


def test_hooks_leave_the_network_as_it_was():
    network = random_network(1).train()
    source = network_source(network)
    inside = source.original.inside
    inside.run(np.zeros((1, *source.graph.input_shape), np.float32), list(inside.layers))
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    assert torch.is_grad_enabled()


def test_tensorflow_lite_tells_its_layers_too(tmp_path):
    net = TfliteNet(8, 8, 3)
    window = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
    weight, bias = net.normal(8, 3, 3, 3), net.normal(8)
    x = net.add("CONV_2D", 0, weight, bias, shape=(1, 8, 8, 8), Padding=0, **window)
    source = read_tflite(ModelFile(net.save(tmp_path, net.head(x))), allow_float=True)
    name = source.layers[0].name
    with pytest.raises(CheckFailure) as caught:
        convert_source(negated(source, source.layers[0].node), check_options=CHECK)
    assert caught.value.layer == name


def test_logits_of_another_shape_are_no_traceback():
    source = near_a_threshold()
    other = replace(source.original, logits=lambda x: np.ones((len(x), 3), np.float32))
    with pytest.raises(
        ConversionError, match=r"gives logits of shape \[8, 3\], the packed program"
    ):
        convert_source(replace(source, original=other), check_options=CHECK)


class Digits(nn.Module):
    """The sign of what a convolution without bias makes of a black picture."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, stride=2, bias=False)
        self.layer = nn.Conv2d(8, 8, 3, bias=False)
        self.layer.weight.data = self.layer.weight.data.sign()
        self.classifier = nn.Linear(8, 4)

    def forward(self, x):
        return self.classifier(self.layer(self.stem(x).sign()).mean((2, 3)))


def digits_of_pytorch(**options):
    torch.manual_seed(0)
    program = exported_module(Digits().eval(), torch.zeros(2, 1, 12, 12))
    return program_source(program, allow_float=True, **options)


def test_modules_tell_their_layers_by_the_users_names():
    source = digits_of_pytorch()
    assert [(x.name, bool(x.reason)) for x in source.layers] == [
        ("stem", True), ("layer", False), ("classifier", True),
    ]  # fmt: skip
    images = structured(source.graph.input_shape, source.preprocessing)["drawings"][:3]
    assert first_parting(source.graph, source.original, images) is None
    made = source.original.inside.run(images, ["stem", "layer"])
    assert [x.shape[1] for x in made.values()] == [8, 8]
    with pytest.raises(CheckFailure) as caught:
        convert_source(negated(source, "layer"), check_options=CHECK)
    assert caught.value.layer == "layer"


def test_a_zero_that_a_module_makes_is_refused_or_a_warning(monkeypatch):
    report = convert_source(digits_of_pytorch(sign_zero="plus"), check_options=CHECK)[1]
    assert [warning.code for warning in report.warnings] == ["sign-zero"]
    assert "layer reads signs of exactly 0" in report.warnings[0].text
    assert convert_source(digits_of_pytorch(), check_options=CHECK)[1].warnings == ()
    monkeypatch.setattr(bits, "may_vanish", lambda imports, x: np.zeros(imports.shape(x)[0], bool))
    with pytest.raises(CheckFailure) as caught:
        convert_source(digits_of_pytorch(), check_options=CHECK)
    assert (caught.value.kind, caught.value.layer) == ("black", "layer")


def test_inputs_without_an_answer_are_not_counted(tmp_path):
    m = OnnxModel(dims=(1, 16, 16))
    x = m.add("Conv", "x", m.normal(16, 1, 3, 3))
    x = m.binary(m.add("Div", x, m.add("Abs", x)), 16, 16)  # NaN where the picture is black
    report = convert_onnx(m.save(tmp_path, m.float_head(x, 16)), allow_float=True)[1]
    found = {kind.kind: kind.images for kind in report.self_check.kinds}
    assert (found["black"], found["white"]) == (0, 1)
    (summary, *_) = check_lines(report.self_check)[1:]
    assert "(white, flat colours" in summary
