from __future__ import annotations

import numpy as np
import pytest
from support.small_graphs import SmallGraph, node, ops_of, run_pass, untouched

from bnas_deploy.converters.passes.remove_zero.rules import RemoveZero
from bnas_deploy.errors import PassError

STEP = RemoveZero()


def test_adding_zero_is_nothing():
    g = SmallGraph()
    out = g.plus("a", g.relu("r", "image"), g.zero("z", (3, 6, 5)))
    graph = run_pass(STEP, g.graph(out))
    assert ops_of(graph) == ["relu"]
    assert graph.output == "r"


def test_zero_plus_zero_and_pools_of_it_are_zero():
    g = SmallGraph()
    z = g.plus("s", g.zero("z1", (3, 6, 5)), g.zero("z2", (3, 6, 5)))
    z = g.pool("avg", g.relu("r", g.pool("max", z)), "avg_pool")
    graph = run_pass(STEP, g.graph(g.plus("a", z, g.relu("x", "image"))))
    assert ops_of(graph) == ["relu"]


def test_a_graph_without_zeros_is_left_alone():
    g = SmallGraph()
    x = g.concat("j", g.unit("u", "image", 3), "image")
    assert untouched(STEP, g.graph(g.linear("l", g.mean("m", x), 2)))


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("zero_sign", [1, 0])
def test_zero_channels_fold_into_the_taps_of_a_binary_convolution(padding, zero_sign):
    g = SmallGraph()
    x = g.concat("j", g.zero("z1", (2, 6, 5)), "image", g.zero("z2", (3, 6, 5)))
    x = g.sign("s", g.norm("n", x), zero_sign)
    graph = run_pass(STEP, g.graph(g.binary("c", x, 4, padding=padding)))
    assert ops_of(graph) == ["batch_norm", "sign", "binary_conv"]
    conv = node(graph, "c")
    assert conv.constants["weight"].shape == (4, 3, 3, 3)
    assert conv.constants["fold"].shape == (4, 3, 3)


def test_a_fold_that_is_there_already_is_added_to():
    g = SmallGraph()
    x = g.sign("s", g.norm("n", g.concat("j", g.zero("z", (2, 6, 5)), "image")))
    graph = run_pass(STEP, g.graph(g.binary("c", x, 4, fold=True)))
    assert node(graph, "c").constants["weight"].shape[1] == 3


def test_zero_without_a_shift_follows_zero_sign():
    """The authors' sign(0) = 0 adds nothing; ours is +1."""
    folds = {}
    for zero_sign in (0, 1):
        g = SmallGraph()
        x = g.concat("j", g.zero("z", (1, 6, 5)), "image")
        c = g.binary("c", g.sign("s", x, zero_sign), 2)
        conv = node(STEP(g.graph(c))[0], "c")
        folds[zero_sign] = conv.constants.get("fold")
        dropped = node(g.graph(c), "c").constants["weight"][:, 0]
    assert folds[0] is None
    assert np.array_equal(folds[1], dropped)


@pytest.mark.parametrize("padding", [0, 1])
def test_a_binary_convolution_of_nothing_but_zeros_keeps_its_border(padding):
    g = SmallGraph()
    x = g.sign("s", g.norm("n", g.zero("z", (3, 6, 5))))
    graph = run_pass(STEP, g.graph(g.relu("r", g.binary("c", x, 3, padding=padding))))
    assert node(graph, "c").constants["weight"].shape[1] == 1


def test_zero_channels_go_to_the_bias_of_a_convolution_without_padding():
    g = SmallGraph()
    x = g.norm("n", g.concat("j", g.zero("z", (2, 6, 5)), "image"))
    graph = run_pass(STEP, g.graph(g.conv("c", x, 4, 2, padding=0, bias=False)))
    assert ops_of(graph) == ["batch_norm", "conv"]
    assert node(graph, "c").constants["weight"].shape[1] == 3
    assert "bias" in node(graph, "c").constants


def test_a_padded_convolution_drops_zeros_and_keeps_other_constants():
    g = SmallGraph()
    x = g.concat("j", g.zero("z", (2, 6, 5)), "image")
    graph = run_pass(STEP, g.graph(g.conv("c", x, 4)))
    assert node(graph, "c").constants["weight"].shape[1] == 3

    g = SmallGraph()
    x = g.norm("n", g.concat("j", g.zero("z", (2, 6, 5)), "image"))
    graph = run_pass(STEP, g.graph(g.conv("c", x, 4)))
    assert node(graph, "c").constants["weight"].shape[1] == 5
    assert ops_of(graph) == ["batch_norm", "select_channels", "affine", "conv"]


@pytest.mark.parametrize("padding", [0, 1])
def test_a_convolution_of_nothing_but_zeros(padding):
    g = SmallGraph()
    x = g.conv("c", g.norm("n", g.zero("z", (3, 6, 5))), 3, padding=padding)
    x = g.plus("a", g.mean("m", x), g.mean("m2", "image"))
    run_pass(STEP, g.graph(x))


def test_a_linear_layer_loses_columns():
    g = SmallGraph()
    x = g.norm("n", g.concat("j", "image", g.zero("z", (2, 6, 5))))
    graph = run_pass(STEP, g.graph(g.linear("l", g.mean("m", x), 4)))
    assert node(graph, "l").constants["weight"].shape == (4, 3)


def test_a_linear_layer_of_nothing_but_zeros():
    g = SmallGraph()
    x = g.linear("l", g.norm("n", g.zero("z", (3, 6, 5))), 4)
    x = g.plus("a", x, g.linear("l2", "image", 4))
    run_pass(STEP, g.graph(x))


def test_values_with_different_zero_channels_are_laid_out_alike():
    g = SmallGraph()
    x = g.concat("j1", "image", g.zero("z1", (3, 6, 5)))
    y = g.concat("j2", g.zero("z2", (2, 6, 5)), g.relu("r", "image"), g.zero("z3", (1, 6, 5)))
    x = g.plus("a", x, y)
    graph = run_pass(STEP, g.graph(g.linear("l", g.mean("m", x), 3)))
    assert ops_of(graph).count("select_channels") == 2
    assert graph.values["a"].shape[0] == 5


def test_a_wider_value_is_not_rearranged():
    g = SmallGraph((6, 6, 5))
    x = g.concat("j", g.zero("z1", (2, 6, 5)), g.conv("c", "image", 4))
    graph = run_pass(STEP, g.graph(g.plus("a", x, "image")))
    assert ops_of(graph) == ["conv", "select_channels", "add"]


def test_constants_that_are_not_zero_are_added_too():
    g = SmallGraph()
    x = g.norm("n", g.concat("j", g.zero("z1", (1, 6, 5)), g.pool("p", "image")))
    y = g.concat("j2", "image", g.zero("z2", (1, 6, 5)))
    run_pass(STEP, g.graph(g.plus("a", x, y)))


def test_selected_channels_are_followed():
    g = SmallGraph()
    x = g.select("s", "image", [2, -1, 0])
    graph = run_pass(STEP, g.graph(g.linear("l", g.relu("r", x), 3)))
    assert graph.values["r"].shape[0] == 2
    g = SmallGraph()
    assert untouched(STEP, g.graph(g.select("s", "image", [2, 1])))


def test_an_output_with_zero_channels_is_filled_in():
    g = SmallGraph()
    graph = run_pass(STEP, g.graph(g.concat("j", g.zero("z", (2, 6, 5)), "image")))
    assert graph.values[graph.output].shape[0] == 5


def test_a_lowered_graph_is_refused():
    g = SmallGraph()
    out = g.add("add_slice", "a", ("image", "image"), {"at": 0})
    with pytest.raises(PassError, match="without add_slice"):
        STEP(g.graph(out))


@pytest.mark.parametrize("padding", [0, 1, 4])
def test_signs_that_a_depthwise_convolution_reads_get_their_constants_back(padding):
    g = SmallGraph((3, 9, 9))
    x = g.concat("j", g.zero("z1", (2, 9, 9)), "image", g.zero("z2", (1, 9, 9)))
    x = g.depthwise("d", g.sign("s", g.norm("n", x)), padding=padding)
    graph = run_pass(STEP, g.graph(x))
    assert ops_of(graph) == [
        "batch_norm", "select_channels", "affine", "sign", "binary_depthwise",
    ]  # fmt: skip
    assert node(graph, "d").constants["weight"].shape == (6, 1, 3, 3)


def test_a_depthwise_convolution_of_nothing_but_zeros():
    g = SmallGraph()
    x = g.depthwise("d", g.sign("s", g.norm("n", g.zero("z", (3, 6, 5)))))
    graph = run_pass(STEP, g.graph(g.plus("a", x, "image")))
    assert ops_of(graph) == ["zero", "affine", "sign", "binary_depthwise", "add"]


def test_a_depthwise_convolution_of_live_channels_is_left_alone():
    g = SmallGraph()
    assert untouched(STEP, g.graph(g.depthwise("d", g.sign("s", "image"))))


def test_zero_channels_go_into_the_terms_of_a_mean_magnitude():
    g = SmallGraph()
    x = g.concat("j", g.zero("z", (2, 6, 5)), "image")
    graph = run_pass(STEP, g.graph(g.times("t", "image", g.magnitude("m", x))))
    assert ops_of(graph) == ["mean_magnitude", "multiply"]
    constants = node(graph, "m").constants
    assert constants["scale"].shape == constants["shift"].shape == (3,)
    assert constants["terms"][0] == 1 / 5
    assert constants["terms"][1] > 0


def test_a_mean_magnitude_of_nothing_but_zeros_is_known():
    g = SmallGraph()
    factor = g.magnitude("m", g.zero("z", (2, 6, 5)))
    graph = run_pass(STEP, g.graph(g.times("t", "image", factor)))
    assert ops_of(graph) == ["zero", "affine", "multiply"]


def test_a_product_reads_whole_values():
    g = SmallGraph()
    x = g.concat("j", g.zero("z", (2, 6, 5)), "image")
    graph = run_pass(STEP, g.graph(g.times("t", x, g.magnitude("m", "image"))))
    assert graph.values[graph.output].shape == (5, 6, 5)
