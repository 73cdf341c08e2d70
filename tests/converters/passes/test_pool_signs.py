"""pool_signs: pools behind signs, greatest and least, and those that stay."""

from __future__ import annotations

import pytest
from support.small_graphs import SmallGraph, node, ops_of, run_pass, untouched

from bnas_deploy.converters.passes.pool_signs import PoolSigns
from bnas_deploy.errors import PassError

STEP = PoolSigns()


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", [(3, 6, 4), (9, 5, 7), (2, 2, 2)])
def test_a_pool_goes_behind_a_batch_norm_and_sign(shape, stride):
    g = SmallGraph(shape)
    bits = g.sign("s", g.norm("n", g.pool("p", "image", stride=stride)))
    graph = run_pass(STEP, g.graph(g.binary("c", bits, 3)))
    assert ops_of(graph) == ["batch_norm", "sign", "binary_max_pool", "binary_conv"]
    falls = node(graph, "n").constants["weight"] < 0
    got = node(graph, "s.p").constants.get("minimum")
    assert (got == falls).all() if falls.any() else got is None


def test_every_monotone_node_may_stand_between():
    g = SmallGraph((5, 6, 6))
    x = g.clip("k", g.relu("r", g.affine("a", g.pool("p", "image"))))
    bits = g.sign("s", g.norm("n", g.prelu("q", x, least=0.0)))
    graph = run_pass(STEP, g.graph(g.binary("c", bits, 3)))
    assert ops_of(graph)[-3:] == ["sign", "binary_max_pool", "binary_conv"]
    assert "max_pool" not in ops_of(graph)
    turns = (node(graph, "a").constants["scale"] < 0) ^ (node(graph, "n").constants["weight"] < 0)
    assert (node(graph, "s.p").constants["minimum"] == turns).all()


def test_two_readers_and_two_pools_in_a_row():
    g = SmallGraph((4, 9, 9))
    pooled = g.pool("p2", g.pool("p1", "image"), stride=2)
    a = g.binary("c1", g.sign("s1", g.norm("n1", pooled)), 3)
    b = g.binary("c2", g.sign("s2", pooled), 3)
    graph = run_pass(STEP, g.graph(g.plus("y", a, b)))
    assert ops_of(graph).count("binary_max_pool") == 4
    assert "max_pool" not in ops_of(graph)


def test_what_is_not_monotone_or_is_read_as_a_float_stays():
    g = SmallGraph()
    pooled = g.pool("p", "image")
    y = g.plus("y", g.binary("c", g.sign("s", pooled), 3), pooled)
    assert untouched(STEP, g.graph(y))
    g = SmallGraph()
    x = g.prelu("q", g.pool("p", "image"), least=-1.0)
    assert untouched(STEP, g.graph(g.binary("c", g.sign("s", x), 3)))
    g = SmallGraph()
    assert untouched(STEP, g.graph(g.binary("c", g.sign("s", g.pool("p", "image"), 0), 3)))
    g = SmallGraph()
    assert untouched(STEP, g.graph(g.pool("p", "image")))


def test_it_comes_before_the_stages():
    g = SmallGraph()
    x = g.add(
        "binarize",
        "b",
        ("image",),
        {},
        {"threshold": g.rng.normal(size=3), "flip": g.rng.random(3) < 0},
    )
    with pytest.raises(PassError, match="needs a graph without"):
        STEP(g.graph(g.binary("c", x, 3)))
