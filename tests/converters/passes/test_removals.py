"""eliminate_dead, merge_equal."""

from __future__ import annotations

from support.small_graphs import SmallGraph, ops_of, run_pass, untouched

from bnas_deploy.converters.passes.eliminate_dead import EliminateDead
from bnas_deploy.converters.passes.merge_equal import MergeEqual


def test_what_nobody_reads_vanishes_with_its_sources():
    g = SmallGraph()
    g.unit("unused", "image", 4)
    graph = run_pass(EliminateDead(), g.graph(g.relu("r", "image")))
    assert ops_of(graph) == ["relu"]


def test_what_is_read_stays():
    g = SmallGraph()
    assert untouched(EliminateDead(), g.graph(g.plus("a", g.relu("r", "image"), "image")))


def test_equal_pools_are_one():
    g = SmallGraph()
    x = g.plus("a", g.pool("p", "image"), g.pool("q", "image"))
    graph = run_pass(MergeEqual(), g.graph(x))
    assert ops_of(graph) == ["max_pool", "add"]
    assert graph.nodes[1].inputs == ("p", "p")


def test_what_reads_merged_nodes_merges_too():
    g = SmallGraph()
    x = g.plus("a", g.relu("r", g.pool("p", "image")), g.relu("s", g.pool("q", "image")))
    assert ops_of(run_pass(MergeEqual(), g.graph(x))) == ["max_pool", "relu", "add"]


def test_the_output_may_be_merged_away():
    g = SmallGraph()
    g.relu("r", "image")
    graph = run_pass(MergeEqual(), g.graph(g.relu("s", "image")))
    assert graph.output == "r"


def test_other_attributes_inputs_or_constants_are_not_equal():
    g = SmallGraph()
    x = g.plus("a", g.pool("p", "image"), g.pool("q", "image", "avg_pool"))
    y = g.plus("b", g.norm("n", "image"), g.norm("m", "image"))
    assert untouched(MergeEqual(), g.graph(g.plus("c", x, y)))
