from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.small_graphs import SmallGraph, ops_of

from bnas_deploy.converters.graph.nodes import Graph, Node, same_graph, topological
from bnas_deploy.errors import ConversionError


def two_relus() -> Graph:
    g = SmallGraph()
    return g.graph(g.relu("b", g.relu("a", "image")))


def test_values_are_inferred():
    g = SmallGraph((3, 8, 6))
    out = g.pool("p", g.binary("c", g.sign("s", "image"), 5, padding=0), "avg_pool", stride=2)
    values = g.graph(out).values
    assert [(v.kind, v.shape) for v in values.values()] == [
        ("f32", (3, 8, 6)),
        ("bits", (3, 8, 6)),
        ("f32", (5, 6, 4)),
        ("f32", (5, 3, 2)),
    ]


def test_printing_names_every_value_and_constant():
    g = SmallGraph()
    text = str(g.graph(g.conv("c", "image", 4)))
    assert "c = conv(image)" in text
    assert "weight[4, 3, 3, 3]" in text
    assert text.endswith("return c")


def test_readers_and_producers():
    graph = two_relus()
    assert graph.producers["a"].name == "a"
    assert [n.name for n in graph.readers["a"]] == ["b"]
    assert graph.only_reader("a") is graph.nodes[1]
    assert graph.only_reader("b") is None


def test_a_node_that_reads_a_value_twice_is_not_its_only_reader():
    g = SmallGraph()
    graph = g.graph(g.plus("b", g.relu("a", "image"), "a"))
    assert graph.only_reader("a") is None


@pytest.mark.parametrize(
    ("nodes", "output", "message"),
    [
        ((Node("relu", "a", ("gone",), ("a",)),), "a", "reads \\['gone'\\]"),
        ((Node("relu", "a", ("image",), ("a",)),) * 2, "a", "used twice: \\['a'\\]"),
        (
            (Node("relu", "a", ("image",), ("v",)), Node("relu", "b", ("image",), ("v",))),
            "v",
            "'v' is assigned twice",
        ),
        ((Node("relu", "a", ("image",), ("a",)),), "b", "output 'b' is not assigned"),
        ((Node("tanh", "a", ("image",), ("a",)),), "a", "unknown operation 'tanh'"),
        ((Node("relu", "a", ("image", "image"), ("a",)),), "a", "inputs of kinds \\['f32'\\]"),
        ((Node("relu", "a", ("image",), ("a", "b")),), "a", "makes 1 values; got 2"),
        ((Node("relu", "a", ("image",), ("a",), {"x": 1}),), "a", "attributes"),
        ((Node("affine", "a", ("image",), ("a",)),), "a", "constants"),
        (
            (
                Node(
                    "affine",
                    "a",
                    ("image",),
                    ("a",),
                    {},
                    dict.fromkeys(("scale", "shift"), np.ones(2)),
                ),
            ),
            "a",
            "scale of shape \\(3,\\)",
        ),
        ((Node("zero", "a", (), ("a",), {"shape": (0, 1, 1)}),), "a", "without pixels"),
    ],
)
def test_each_broken_invariant_is_named(nodes, output, message):
    with pytest.raises(ConversionError, match=message):
        Graph("image", (3, 4, 4), output, nodes).check()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda g: g.plus("x", "image", g.pool("p", "image", stride=2)), "equal shapes"),
        (lambda g: g.concat("x", "image", g.pool("p", "image", stride=2)), "one resolution"),
        (lambda g: g.select("x", "image", [3]), "indices from -1 to 2"),
        (lambda g: g.binary("x", "image", 2), "kinds \\['bits'\\]"),
        (lambda g: g.relu("x", g.sign("s", "image")), "kinds \\['f32'\\]"),
        (lambda g: g.conv("x", "image", 2, kernel=7, padding=0), "without pixels"),
        (
            lambda g: g.add("add_slice", "x", ("image", "image"), {"at": 1}),
            "to fit into",
        ),
    ],
)
def test_each_operation_checks_what_it_is_given(make, message):
    with pytest.raises(ConversionError, match=message):
        make(SmallGraph())


def test_same_graph_looks_at_constants():
    g = SmallGraph()
    graph = g.graph(g.norm("n", "image"))
    other = graph.nodes[0].with_constants(bias=graph.nodes[0].constants["bias"] + 1)
    assert same_graph(graph, replace(graph, nodes=tuple(graph.nodes)))
    assert not same_graph(graph, graph.with_nodes([other]))
    assert not same_graph(graph, graph.with_nodes([graph.nodes[0].with_attributes(eps=1e-3)]))


def test_topological_moves_only_what_must_move():
    graph = two_relus()
    assert topological(graph.nodes, "image") == graph.nodes
    assert topological(reversed(graph.nodes), "image") == graph.nodes


def test_topological_names_a_circle():
    nodes = [Node("relu", "a", ("b",), ("a",)), Node("relu", "b", ("a",), ("b",))]
    with pytest.raises(ConversionError, match="depend on each other: \\['a', 'b'\\]"):
        topological(nodes, "image")


def test_optional_constants_can_be_removed():
    g = SmallGraph()
    graph = g.graph(g.conv("c", "image", 2))
    without = graph.with_nodes([graph.nodes[0].with_constants(bias=None)])
    without.check()
    assert "bias" not in without.nodes[0].constants
    assert ops_of(without) == ["conv"]
