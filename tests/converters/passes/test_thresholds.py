"""pack_convs, binarize_signs."""

from __future__ import annotations

import numpy as np
import pytest
from support.small_graphs import SmallGraph, node, ops_of, run_pass

from bnas_deploy.converters.passes.binarize_signs import BinarizeSigns
from bnas_deploy.converters.passes.pack_convs import PackConvs
from bnas_deploy.errors import PassError


def end(g, x):
    """Something float behind bits, so that a graph can end."""
    return g.add("packed_conv", "end", (x,), *_one_output(g, x))


def _one_output(g, x):
    from bnas_deploy.converters.graph.ops import Stage

    attributes = {
        "stride": (1, 1),
        "padding": (0,) * 4,
        "dilation": (1, 1),
        "stages": (Stage("scale"),),
    }
    weight = np.ones((1, g.channels(x), 1, 1), np.int8)
    return attributes, {"weight": weight, "end.scale": np.ones(1)}


def kinds(packed):
    return [stage.kind for stage in packed.attributes["stages"]]


@pytest.mark.parametrize("activation", ["none", "relu"])
@pytest.mark.parametrize("fold", [True, False])
def test_batch_norm_and_sign_become_an_integer_compare(activation, fold):
    g = SmallGraph()
    x = g.binary("c", g.sign("s", "image"), 16, activation=activation, fold=fold)
    x = g.sign("t", g.norm("n", x))
    graph = run_pass(PackConvs(), g.graph(end(g, x)))
    assert ops_of(graph) == ["sign", "packed_conv", "packed_conv"]
    packed = node(graph, "c")
    assert kinds(packed) == ["threshold"]
    assert packed.outputs == ("t",)
    assert len(set(packed.constants["t.flip"].tolist())) == 2


def test_negative_and_zero_scales():
    g = SmallGraph()
    x = g.norm("n", g.binary("c", g.sign("s", "image"), 4, activation="relu"))
    weight = np.array([-1.0, 0.0, -0.0, 2.0])
    bias = np.array([0.3, 0.0, -1.0, -0.5])
    (norm,) = [n for n in g.nodes if n.name == "n"]
    g.nodes[g.nodes.index(norm)] = norm.with_constants(
        weight=weight, bias=bias, mean=np.zeros(4), scale=None
    )
    x = g.sign("t", x)
    packed = node(run_pass(PackConvs(), g.graph(end(g, x))), "c")
    bound = 27
    assert packed.constants["t.flip"].tolist() == [True, False, True, False]
    assert packed.constants["t.threshold"][1] == -bound  # always +1
    assert packed.constants["t.threshold"][2] == -bound  # always -1


def test_sign_without_batch_norm():
    g = SmallGraph()
    x = g.sign("t", g.binary("c", g.sign("s", "image"), 4))
    packed = node(run_pass(PackConvs(), g.graph(end(g, x))), "c")
    assert packed.constants["t.threshold"].tolist() == [0] * 4


def test_several_readers_make_several_stages_of_one_convolution():
    g = SmallGraph()
    c = g.binary("c", g.sign("s", "image"), 4, activation="relu")
    x = g.binary("d", g.sign("t", g.norm("n", c)), 4)
    y = g.binary("e", g.sign("u", g.norm("m", c)), 4)
    graph = run_pass(PackConvs(), g.graph(g.plus("b", g.plus("a", x, y), g.pool("p", c))))
    packed = node(graph, "c")
    assert kinds(packed) == ["threshold", "threshold", "scale"]
    assert packed.outputs == ("t", "u", "c")
    assert ops_of(graph).count("packed_conv") == 3


def test_a_batch_norm_that_others_read_stays_for_them():
    g = SmallGraph()
    n = g.norm("n", g.binary("c", g.sign("s", "image"), 4))
    x = g.plus("a", n, g.binary("d", g.sign("t", n), 4))
    graph = run_pass(PackConvs(), g.graph(x))
    assert kinds(node(graph, "c")) == ["threshold", "scale"]
    assert "batch_norm" in ops_of(graph)


def test_the_output_is_a_scale_stage():
    g = SmallGraph()
    graph = run_pass(PackConvs(), g.graph(g.binary("c", g.sign("s", "image"), 4)))
    assert kinds(node(graph, "c")) == ["scale"]
    assert graph.output == "c"


@pytest.mark.parametrize("normed", [True, False])
def test_signs_of_floats_become_a_float_compare(normed):
    g = SmallGraph()
    x = g.pool("p", "image", "avg_pool")
    x = g.sign("s", g.norm("n", x) if normed else x)
    graph = run_pass(BinarizeSigns(), g.graph(end(g, x)))
    assert ops_of(graph) == ["avg_pool", "binarize", "packed_conv"]
    assert node(graph, "s").inputs == ("p",)


def test_a_batch_norm_with_a_float_reader_stays_beside_the_compare():
    g = SmallGraph()
    n = g.norm("n", "image")
    x = g.plus("a", n, g.select("c", end(g, g.sign("s", n)), [0, -1, -1]))
    graph = run_pass(BinarizeSigns(), g.graph(x))
    assert ops_of(graph) == ["batch_norm", "binarize", "packed_conv", "select_channels", "add"]


def test_binary_convolutions_are_packed_first():
    g = SmallGraph()
    graph = g.graph(g.binary("c", g.sign("s", "image"), 4))
    with pytest.raises(PassError, match="without binary_conv"):
        BinarizeSigns()(graph)
