"""Backbone networks as ONNX: in ONNX Runtime, there and back, and their float counterparts."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from support.small_backbones import SMALL, small_images, small_network

from bnas_deploy import engine
from bnas_deploy.converters import convert_network
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.converters.from_torch.source import float_counterpart
from bnas_deploy.converters.to_onnx.network import network_to_onnx
from bnas_deploy.errors import ConversionError


@pytest.mark.parametrize("name", SMALL)
def test_another_runtime_gives_the_same(name):
    network = small_network(name)
    images = small_images(network, 3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network_to_onnx(network).SerializeToString(), options)
    (got,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    with torch.inference_mode():
        want = network(images).numpy()
    differences = np.sort(np.abs(got.reshape(want.shape) - want).max(axis=1))
    assert differences[-2] < 1e-4  # where a sign differs, one image may be off


@pytest.mark.parametrize("name", SMALL)
def test_what_comes_back_is_what_went(name, tmp_path):
    network = small_network(name)
    path = tmp_path / "network.onnx"
    path.write_bytes(network_to_onnx(network).SerializeToString())
    images = small_images(network, 2).numpy()
    found = convert_onnx(path, allow_float=True, images=0)[0]
    want, got = (
        engine.create(model, backend="native").run(images)
        for model in (convert_network(network)[0], found)
    )
    if name.startswith("xnor-plus"):  # its factors of the pixels are multiplied in another order
        assert np.abs(got - want).max() < 1e-5
    else:
        assert np.array_equal(got, want)


def test_a_float_network_with_the_same_weights():
    network = small_network("bireal18")
    twin = float_counterpart(network)
    assert not twin.binary
    assert torch.equal(twin.stem[0].weight, network.stem[0].weight)


@pytest.mark.parametrize("name", ["abc-resnet18", "binary-duo-resnet18", "cbcn-bireal18"])
def test_schemes_with_weights_of_their_own_have_none(name):
    with pytest.raises(ConversionError, match=f"{name}: there is no float network"):
        float_counterpart(small_network(name))
