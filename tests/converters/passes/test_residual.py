"""add_slices, fuse_residual, schedule: they work on packed convolutions."""

from __future__ import annotations

from support.small_graphs import SmallGraph, node, ops_of, run_pass, untouched

from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.converters.passes.add_slices import AddSlices
from bnas_deploy.converters.passes.binarize_signs import BinarizeSigns
from bnas_deploy.converters.passes.eliminate_dead import EliminateDead
from bnas_deploy.converters.passes.fuse_relu import FuseRelu
from bnas_deploy.converters.passes.fuse_residual import FuseResidual
from bnas_deploy.converters.passes.pack_convs import PackConvs
from bnas_deploy.converters.passes.schedule import Schedule


def packed(graph: Graph) -> Graph:
    for step in (FuseRelu(), PackConvs(), BinarizeSigns(), EliminateDead()):
        graph, _ = step(graph)
    return graph


def names(graph: Graph) -> list[str]:
    return [n.name for n in graph.nodes]


def test_a_joined_value_is_added_part_by_part():
    g = SmallGraph((6, 6, 5))
    x = g.concat("j", g.pool("p", "image"), g.conv("c", "image", 4))
    graph = run_pass(AddSlices(), g.graph(g.plus("a", x, g.conv("skip", "image", 10))))
    assert ops_of(graph) == ["max_pool", "conv", "conv", "add_slice", "add_slice"]
    first, last = graph.nodes[-2:]
    assert (first.inputs, first.attributes["at"]) == (("skip", "p"), 0)
    assert (last.inputs, last.attributes["at"]) == ((first.output, "c"), 6)


def test_selected_channels_go_where_they_belong():
    g = SmallGraph((3, 6, 5))
    x = g.concat("j", g.pool("p", "image"), g.conv("c", "image", 2))
    x = g.select("s", x, [-1, 0, 1, 2, -1, 3, 4, -1])
    graph = run_pass(AddSlices(), g.graph(g.plus("a", x, g.conv("skip", "image", 8))))
    assert ops_of(graph) == ["max_pool", "conv", "conv", "add_slice", "add_slice"]
    assert [n.attributes["at"] for n in graph.nodes[-2:]] == [1, 5]


def test_repeated_channels_are_written_once_and_added_onto():
    g = SmallGraph((2, 6, 5))
    x = g.concat("j", g.pool("p", "image"), g.conv("c", "image", 2))
    repeated = g.select("s", g.relu("r", "image"), [0, 1, 0, 1])
    graph = run_pass(AddSlices(), g.graph(g.plus("a", x, repeated)))
    adds = [n for n in graph.nodes if n.op == "add_slice"]
    assert [n.inputs[1] for n in adds] == ["p", "c"]
    assert adds[0].inputs[0] == "s"


def test_repeated_channels_that_are_added_stay_one_value():
    g = SmallGraph((2, 6, 5))
    skip = g.relu("skip", g.conv("c", "image", 4))
    x = g.plus("a", skip, g.select("s", g.relu("r", "image"), [0, 1, 0, 1]))
    graph = run_pass(AddSlices(), g.graph(g.plus("b", x, skip)))
    assert ops_of(graph).count("select_channels") == 1


def test_a_torn_part_is_selected_piece_by_piece():
    g = SmallGraph((3, 6, 5))
    x = g.select("s", g.pool("p", "image"), [0, -1, 2, 1])
    graph = run_pass(AddSlices(), g.graph(g.plus("a", x, g.conv("skip", "image", 4))))
    assert ops_of(graph).count("select_channels") == 3
    assert ops_of(graph).count("add_slice") == 3


def test_the_joined_value_that_others_read_is_the_one_added_onto():
    g = SmallGraph((3, 6, 5))
    skip = g.concat("skip", g.pool("p", "image"), "image")
    x = g.concat("j", g.conv("c", skip, 4), g.conv("d", skip, 2))
    graph = run_pass(AddSlices(), g.graph(g.plus("a", x, skip)))
    assert "skip" in names(graph)
    assert "j" not in names(graph)
    assert graph.nodes[-2].inputs[0] == "skip"


def test_a_plain_sum_adds_the_later_convolution_onto_the_other():
    g = SmallGraph()
    x = g.plus("a", g.unit("u", "image", 4), g.unit("v", "image", 4))
    graph = run_pass(AddSlices(), packed(g.graph(x)))
    assert graph.nodes[-1].inputs == ("u.relu", "v.relu")
    graph = run_pass(FuseResidual(), graph)
    assert ops_of(graph) == ["binarize", "packed_conv", "binarize", "packed_conv"]
    assert graph.nodes[-1].inputs == ("v.bits", "u.relu")


def test_a_convolution_is_added_onto_what_is_not_one():
    g = SmallGraph()
    x = g.plus("a", g.unit("u", "image", 3), g.pool("p", "image"))
    graph = run_pass(FuseResidual(), run_pass(AddSlices(), packed(g.graph(x))))
    assert node(graph, "u").inputs == ("u.bits", "p")
    assert graph.output == "a"


def test_a_value_added_to_itself():
    g = SmallGraph()
    graph = packed(g.graph(g.plus("a", g.unit("u", "image", 3), "u.relu")))
    graph = run_pass(AddSlices(), graph)
    assert untouched(FuseResidual(), graph)


def test_stages_keep_their_bits_when_another_is_fused():
    g = SmallGraph()
    u = g.unit("u", "image", 3)
    v = g.unit("v", u, 3)
    x = g.plus("a", g.concat("j", u, v), g.conv("skip", "image", 6))
    graph = run_pass(AddSlices(), packed(g.graph(x)))
    graph = run_pass(FuseResidual(), graph)
    assert [s.kind for s in node(graph, "u").attributes["stages"]] == ["threshold", "scale"]
    assert "add_slice" not in ops_of(graph)


def test_no_circle_is_made():
    """The value added onto is computed from the convolution's own bits."""
    g = SmallGraph()
    u = g.unit("u", "image", 3)
    x = g.plus("a", u, g.conv("c", g.unit("v", u, 3), 3))
    graph = run_pass(AddSlices(), packed(g.graph(x)))
    assert untouched(FuseResidual(), graph)


def test_output_read_by_others_is_not_fused():
    g = SmallGraph()
    u = g.unit("u", "image", 3)
    x = g.plus("b", g.plus("a", u, "image"), g.pool("p", u))
    graph = run_pass(AddSlices(), packed(g.graph(x)))
    assert untouched(FuseResidual(), graph)


def test_a_value_is_binarized_by_all_readers_right_after_it_is_made():
    g = SmallGraph()
    x = g.conv("skip", "image", 3)
    u = g.unit("u", x, 3)
    y = g.plus("a", u, x)
    z = g.plus("b", y, g.unit("v", x, 3))
    graph, _ = AddSlices()(packed(g.graph(z)))
    graph = run_pass(FuseResidual(), graph)
    graph = run_pass(Schedule(), graph)
    assert names(graph) == ["skip", "u.bits", "v.bits", "u", "v"]


def test_what_adds_onto_a_value_waits_for_its_other_readers():
    g = SmallGraph()
    x = g.conv("skip", "image", 3)
    y = g.add("add_slice", "a", (x, "image"), {"at": 0})
    graph = g.graph(g.add("add_slice", "b", (y, g.pool("p", x)), {"at": 0}))
    assert names(run_pass(Schedule(), graph)) == ["skip", "p", "a", "b"]


def test_a_reader_that_waits_for_the_addition_comes_after_it():
    g = SmallGraph()
    x = g.conv("skip", "image", 3)
    y = g.add("add_slice", "a", (x, "image"), {"at": 0})
    graph = g.graph(g.add("add_slice", "b", (y, x), {"at": 0}))
    assert untouched(Schedule(), graph)
