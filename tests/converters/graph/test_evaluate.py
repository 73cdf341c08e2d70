"""The evaluator against PyTorch, in float64: it is what the passes' tests believe."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from bnas_deploy.converters.graph.evaluate import evaluate_node
from bnas_deploy.converters.graph.nodes import Node
from bnas_deploy.converters.graph.ops import Stage

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 9, 8))


def window(kernel, stride, padding, dilation):
    return {
        "stride": (stride, stride),
        "padding": (padding,) * 4,
        "dilation": (dilation, dilation),
        "activation": "relu",
    }


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [
        (1, 1, 0, 1),
        (3, 1, 1, 1),
        (3, 2, 1, 1),
        (2, 2, 0, 1),
        (5, 1, 2, 1),
        (3, 1, 2, 2),
        (5, 2, 4, 2),
    ],
)
def test_convolutions(kernel, stride, padding, dilation):
    weight, bias = RNG.normal(size=(4, 3, kernel, kernel)), RNG.normal(size=4)
    attributes = window(kernel, stride, padding, dilation)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    node = Node("conv", "n", ("x",), ("y",), attributes, {"weight": weight, "bias": bias})
    want = functional.conv2d(*map(torch.from_numpy, (X, weight, bias)), **options).relu().numpy()
    assert np.abs(evaluate_node(node, [X])[0] - want).max() < 1e-12

    # fold is a further input channel that is 1 everywhere inside the image.
    signs, fold = np.sign(weight).astype(np.int8), RNG.integers(-3, 4, (4, kernel, kernel))
    scale, bits = RNG.random(4), np.sign(X)
    constants = {"weight": signs, "scale": scale, "fold": fold.astype(np.int32)}
    node = Node("binary_conv", "n", ("x",), ("y",), attributes, constants)
    wide = np.concatenate([signs, fold[:, None]], axis=1).astype(float)
    one = np.concatenate([bits, np.ones_like(X[:, :1])], axis=1)
    dot = functional.conv2d(torch.from_numpy(one), torch.from_numpy(wide), **options).numpy()
    want = np.maximum(dot * scale[None, :, None, None], 0)
    assert np.abs(evaluate_node(node, [bits])[0] - want).max() < 1e-12


@pytest.mark.parametrize("stride", [1, 2])
def test_pools(stride):
    attributes = {"kernel": (3, 3), "stride": (stride, stride), "padding": (1, 1, 1, 1)}
    x = torch.from_numpy(X)
    largest = functional.max_pool2d(x, 3, stride, 1).numpy()
    mean = functional.avg_pool2d(x, 3, stride, 1, count_include_pad=False).numpy()
    for op, want in (("max_pool", largest), ("avg_pool", mean)):
        (got,) = evaluate_node(Node(op, "n", ("x",), ("y",), attributes), [X])
        assert np.abs(got - want).max() < 1e-12


def test_channel_operations():
    index = np.array([2, -1, 0], np.int32)
    (got,) = evaluate_node(Node("select_channels", "n", ("x",), ("y",), {}, {"index": index}), [X])
    assert np.array_equal(got, np.stack([X[:, 2], 0 * X[:, 0], X[:, 0]], axis=1))
    (got,) = evaluate_node(Node("add_slice", "n", ("x", "y"), ("z",), {"at": 1}), [X, X[:, :2]])
    assert np.array_equal(got[:, :1], X[:, :1])
    assert np.array_equal(got[:, 1:], X[:, 1:] + X[:, :2])


def test_packed_convolution_makes_each_stage_from_the_same_dot_product():
    bits, addend = np.sign(X), RNG.normal(size=(2, 6, 9, 8))
    weight = np.sign(RNG.normal(size=(4, 3, 1, 1))).astype(np.int8)
    stages = (Stage("threshold"), Stage("scale"), Stage("scale", "relu", addend=1, at=2))
    attributes = window(1, 1, 0, 1) | {"stages": stages}
    del attributes["activation"]
    flip, scale = np.array([False, True, False, True]), np.arange(1.0, 5.0)
    constants = {
        "weight": weight,
        "a.threshold": np.array([0, 0, 1, 2], np.int32),
        "a.flip": flip,
        "b.scale": scale,
        "c.scale": scale,
    }
    node = Node("packed_conv", "n", ("x", "y"), ("a", "b", "c"), attributes, constants)
    a, b, c = evaluate_node(node, [bits, addend])
    dot = np.einsum("oc,nchw->nohw", weight[:, :, 0, 0], bits)
    beyond = dot >= constants["a.threshold"][None, :, None, None]
    assert np.array_equal(a == 1, beyond != flip[None, :, None, None])
    assert np.array_equal(b, dot * scale[None, :, None, None])
    assert np.array_equal(c[:, :2], addend[:, :2])
    assert np.array_equal(c[:, 2:], addend[:, 2:] + np.maximum(b, 0))
