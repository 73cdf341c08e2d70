from __future__ import annotations

import numpy as np
import pytest
from support.small_graphs import SmallGraph, node, ops_of, run_pass, untouched

from bnas_deploy.converters.graph.evaluate import evaluate
from bnas_deploy.converters.passes.split_zero_signs import SplitZeroSigns
from bnas_deploy.errors import PassError


def norm_without_shift(g, name, x, channels):
    """A BatchNorm whose output is 0 where its input is, in some channels."""
    x = g.norm(name, x)
    constants = g.nodes[-1].constants
    for key in ("mean", "bias"):
        constants[key][channels] = 0
    constants["weight"][channels[0]] *= -1
    return x


def meanings_agree(before, after):
    """Also where the input is exactly zero, which random images never are."""
    images = np.random.default_rng(0).integers(-1, 2, (4, *before.input_shape)).astype(np.float64)
    return np.array_equal(evaluate(before, images), evaluate(after, images))


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("channels", [[1], [0, 2], [0, 1, 2]])
def test_a_zero_adds_nothing_to_a_binary_convolution(channels, fold):
    g = SmallGraph()
    x = g.sign("s", norm_without_shift(g, "n", "image", channels), 0)
    graph = g.graph(g.binary("c", x, 4, fold=fold))
    result = run_pass(SplitZeroSigns(), graph)
    assert meanings_agree(graph, result)
    assert ops_of(result) == ["select_channels", "batch_norm", "sign", "binary_conv"]
    conv = node(result, "c")
    assert conv.constants["weight"].shape[1] == 6
    assert np.array_equal(conv.constants["scale"] * 2, node(graph, "c").constants["scale"])


def test_a_zero_stays_a_zero_among_floats():
    g = SmallGraph()
    x = g.sign("s", norm_without_shift(g, "n", "image", [1]), 0)
    graph = g.graph(g.conv("c", g.add("bits_to_float", "f", (x,)), 2))
    result = run_pass(SplitZeroSigns(), graph)
    assert meanings_agree(graph, result)


def test_a_sign_of_a_plain_value_may_be_zero_in_every_channel():
    g = SmallGraph()
    graph = g.graph(g.binary("c", g.sign("s", "image", 0), 2))
    result = run_pass(SplitZeroSigns(), graph)
    assert meanings_agree(graph, result)
    assert ops_of(result) == ["select_channels", "affine", "sign", "binary_conv"]


def test_other_readers_of_the_batch_norm_keep_it():
    g = SmallGraph()
    x = norm_without_shift(g, "n", "image", [2])
    y = g.binary("c", g.sign("s", x, 0), 3)
    graph = g.graph(g.plus("sum", y, x))
    result = run_pass(SplitZeroSigns(), graph)
    assert meanings_agree(graph, result)
    assert ops_of(result).count("batch_norm") == 2


def test_where_every_channel_has_a_shift_the_sign_becomes_an_ordinary_one():
    g = SmallGraph()
    graph = g.graph(g.binary("c", g.sign("s", g.norm("n", "image"), 0), 2))
    result = run_pass(SplitZeroSigns(), graph)
    assert ops_of(result) == ops_of(graph)
    assert node(result, "s").attributes["zero_sign"] == 1


def test_ordinary_signs_are_left_alone():
    g = SmallGraph()
    x = g.sign("s", norm_without_shift(g, "n", "image", [0]), 1)
    assert untouched(SplitZeroSigns(), g.graph(g.binary("c", x, 2)))


def test_a_reader_that_cannot_take_zeros_is_refused():
    g = SmallGraph()
    x = g.sign("s", norm_without_shift(g, "n", "image", [0]), 0)
    constants = {"weight": np.ones((3, 1, 1, 1), np.int8), "scale": np.ones(3)}
    attributes = {
        "stride": (1, 1), "padding": (0, 0, 0, 0), "dilation": (1, 1), "activation": "none",
    }  # fmt: skip
    graph = g.graph(g.add("binary_depthwise", "d", (x,), attributes, constants))
    with pytest.raises(PassError, match="d: binary_depthwise cannot read signs"):
        SplitZeroSigns()(graph)
