"""fuse_relu, fold_batchnorm, lower_batchnorm."""

from __future__ import annotations

import numpy as np
import pytest
from support.small_graphs import SmallGraph, node, ops_of, run_pass, untouched

from bnas_deploy.converters.passes.fold_batchnorm import FoldBatchnorm
from bnas_deploy.converters.passes.fuse_relu import FuseRelu
from bnas_deploy.converters.passes.lower_batchnorm import LowerBatchnorm
from bnas_deploy.errors import PassError


@pytest.mark.parametrize("kind", ["conv", "binary"])
def test_relu_becomes_the_activation(kind):
    g = SmallGraph()
    x = g.conv("c", "image", 4) if kind == "conv" else g.binary("c", g.sign("s", "image"), 4)
    graph = run_pass(FuseRelu(), g.graph(g.relu("r", x)))
    assert node(graph, "c").attributes["activation"] == "relu"
    assert graph.output == "r"


def test_relu_of_what_others_read_too_stays():
    g = SmallGraph()
    x = g.conv("c", "image", 3)
    assert untouched(FuseRelu(), g.graph(g.plus("a", g.relu("r", x), x)))


def test_relu_of_something_else_stays():
    g = SmallGraph()
    x = g.relu("r2", g.relu("r", g.norm("n", "image")))
    assert untouched(FuseRelu(), g.graph(x))


@pytest.mark.parametrize("bias", [True, False])
def test_batch_norm_behind_a_convolution(bias):
    g = SmallGraph()
    graph = run_pass(FoldBatchnorm(), g.graph(g.norm("n", g.conv("c", "image", 4, bias=bias))))
    assert ops_of(graph) == ["conv"]


@pytest.mark.parametrize("bias", [True, False])
def test_batch_norm_before_a_convolution_without_padding(bias):
    g = SmallGraph()
    x = g.conv("c", g.norm("n", "image"), 4, 2, padding=0, bias=bias)
    assert ops_of(run_pass(FoldBatchnorm(), g.graph(x))) == ["conv"]


@pytest.mark.parametrize("shape", [(5, 1, 1), (3, 4, 2)])
def test_batch_norm_before_a_linear_layer(shape):
    g = SmallGraph(shape)
    graph = run_pass(FoldBatchnorm(), g.graph(g.linear("l", g.norm("n", "image"), 4)))
    assert ops_of(graph) == ["linear"]


def test_batch_norm_before_a_padded_convolution_stays():
    g = SmallGraph()
    assert untouched(FoldBatchnorm(), g.graph(g.conv("c", g.norm("n", "image"), 4)))


def test_batch_norm_stays_for_its_other_readers():
    g = SmallGraph()
    n = g.norm("n", "image")
    x = g.plus("a", g.conv("c", n, 3, 1, padding=0), n)
    graph = run_pass(FoldBatchnorm(), g.graph(x))
    assert ops_of(graph) == ["batch_norm", "conv", "add"]
    assert node(graph, "c").inputs == ("image",)


def test_batch_norm_behind_an_activation_or_a_shared_convolution_stays():
    g = SmallGraph()
    assert untouched(
        FoldBatchnorm(), g.graph(g.norm("n", g.conv("c", "image", 3, activation="relu")))
    )
    g = SmallGraph()
    c = g.conv("c", "image", 3)
    assert untouched(FoldBatchnorm(), g.graph(g.plus("a", g.norm("n", c), c)))


@pytest.mark.parametrize("first", ["read", "signed"])
def test_batch_norms_of_one_convolution(first):
    g = SmallGraph()
    x = g.conv("c", "image", 3)
    norms = {name: g.norm(name, x) for name in (("n", "m") if first == "read" else ("m", "n"))}
    y = g.binary("b", g.sign("s", norms["m"]), 3)
    graph = run_pass(FoldBatchnorm(), g.graph(g.plus("a", norms["n"], y)))
    assert sorted(ops_of(graph)) == ["add", "batch_norm", "binary_conv", "conv", "sign"]
    assert node(graph, "m").inputs == ("n",)


@pytest.mark.parametrize("spoilt", ["zero", "shifted"])
def test_what_folding_would_lose_stays(spoilt):
    g = SmallGraph()
    x = g.conv("c", "image", 3)
    norm = g.norm("n", x)
    y = g.binary("b", g.sign("s", g.norm("m", x)), 3)
    graph = g.graph(g.plus("a", norm, y))
    own = node(graph, "n")
    bad = {"zero": {"weight": 0.0}, "shifted": {"bias": 1e5}}[spoilt]
    ((key, value),) = bad.items()
    array = own.constants[key].copy()
    array[1] = value
    changed = own.with_constants(**{key: array})
    graph = graph.with_nodes(changed if n is own else n for n in graph.nodes)
    assert untouched(FoldBatchnorm(), graph)


def test_folding_keeps_the_dtype():
    g = SmallGraph()
    graph = g.graph(g.norm("n", g.conv("c", "image", 4)))
    single = graph.with_nodes(
        n.with_constants(**{k: a.astype(np.float32) for k, a in n.constants.items()})
        for n in graph.nodes
    )
    folded, _ = FoldBatchnorm()(single)
    assert {a.dtype for a in folded.nodes[0].constants.values()} == {np.dtype(np.float32)}


def test_batch_norms_left_over_become_affine():
    g = SmallGraph()
    graph = run_pass(LowerBatchnorm(), g.graph(g.conv("c", g.norm("n", "image"), 4)))
    assert ops_of(graph) == ["affine", "conv"]


def test_a_batch_norm_that_is_not_finite_is_refused():
    g = SmallGraph()
    graph = g.graph(g.norm("n", "image"))
    broken = graph.nodes[0].with_constants(mean=np.full(3, np.nan))
    with pytest.raises(PassError, match="no finite scale and shift in channel 0"):
        LowerBatchnorm()(graph.with_nodes([broken]))
