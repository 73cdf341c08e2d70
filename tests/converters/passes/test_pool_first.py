"""pool_first, with fold_batchnorm behind it."""

from __future__ import annotations

import pytest
from support.small_graphs import SmallGraph, node, ops_of, run_pass, untouched

from bnas_deploy.converters.passes.fold_batchnorm import FoldBatchnorm
from bnas_deploy.converters.passes.pool_first import PoolFirst
from bnas_deploy.errors import PassError

STEP = PoolFirst()


def halved(g, name, x):
    window = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
    return g.add("avg_pool", name, (x,), window)


@pytest.mark.parametrize("shape", [(3, 6, 4), (3, 5, 7), (1, 2, 2)])
def test_a_pool_goes_before_the_batch_norm(shape):
    g = SmallGraph(shape)
    graph = run_pass(STEP, g.graph(halved(g, "p", g.norm("n", "image"))))
    assert ops_of(graph) == ["avg_pool", "batch_norm"]
    assert graph.output == "p"


@pytest.mark.parametrize("stride", [1, 2])
def test_padding_is_not_counted_and_spoils_nothing(stride):
    g = SmallGraph()
    x = g.relu("r", g.pool("p", g.norm("n", "image"), "avg_pool", stride))
    assert ops_of(run_pass(STEP, g.graph(x))) == ["avg_pool", "batch_norm", "relu"]


def test_several_in_a_row():
    g = SmallGraph((3, 8, 8))
    x = halved(g, "p2", halved(g, "p1", g.norm("n2", g.norm("n1", "image"))))
    graph = run_pass(STEP, g.graph(x))
    assert ops_of(graph) == ["avg_pool", "avg_pool", "batch_norm", "batch_norm"]


def test_the_batch_norm_then_folds_into_a_1x1_convolution():
    g = SmallGraph()
    x = g.conv("c", halved(g, "p", g.norm("n", "image")), 4, 1, padding=0)
    graph = g.graph(x)
    assert untouched(FoldBatchnorm(), graph)
    folded = run_pass(FoldBatchnorm(), run_pass(STEP, graph))
    assert ops_of(folded) == ["avg_pool", "conv"]


def test_a_batch_norm_that_others_read_stays():
    g = SmallGraph((3, 6, 6))
    n = g.norm("n", "image")
    x = g.plus("a", halved(g, "p", n), halved(g, "q", g.relu("r", n)))
    assert untouched(STEP, g.graph(x))


def test_signs_keep_the_batch_norm():
    g = SmallGraph((3, 6, 6))
    n = g.norm("n", "image")
    bits = g.binary("c", g.sign("s", n), 3)
    graph = run_pass(STEP, g.graph(g.times("t", bits, g.mean("p", n))))
    assert node(graph, "s").inputs == ("n",)
    assert node(graph, "p").inputs == ("image",)
    assert node(graph, "p.n").inputs == ("p.raw",)


def test_a_batch_norm_then_folds_into_a_linear_layer():
    g = SmallGraph((3, 6, 6))
    graph = run_pass(STEP, g.graph(g.linear("l", g.mean("p", g.norm("n", "image")), 4)))
    assert ops_of(run_pass(FoldBatchnorm(), graph)) == ["global_avg_pool", "linear"]


def test_a_maximum_does_not_commute():
    g = SmallGraph()
    assert untouched(STEP, g.graph(g.pool("p", g.norm("n", "image"))))


def test_other_readers_of_the_input_keep_it():
    g = SmallGraph((3, 6, 6))
    r = g.relu("r", "image")
    x = g.plus("a", halved(g, "p", g.norm("n", r)), halved(g, "q", r))
    graph = run_pass(STEP, g.graph(x))
    assert node(graph, "n").inputs == ("p.raw",)
    assert node(graph, "q").inputs == ("r",)


def test_packed_graphs_are_refused():
    g = SmallGraph()
    x = g.add("add_slice", "a", ("image", "image"), {"at": 0})
    with pytest.raises(PassError, match="needs a graph without"):
        STEP(g.graph(x))


def test_the_largest_of_a_prelu():
    g = SmallGraph((3, 7, 6))
    x = g.pool("p", g.prelu("a", "image", least=0.0), stride=2)
    assert ops_of(run_pass(STEP, g.graph(x))) == ["max_pool", "prelu"]


@pytest.mark.parametrize(("least", "stride"), [(-1.0, 2), (0.0, 1)])
def test_a_prelu_that_falls_or_saves_nothing_stays(least, stride):
    g = SmallGraph((8, 7, 6))
    x = g.pool("p", g.prelu("a", "image", least=least), stride=stride)
    assert untouched(STEP, g.graph(x))
