"""fuse_affine: scales and shifts that become stages, and those that stay."""

from __future__ import annotations

import pytest
from support.small_graphs import SmallGraph, node, ops_of, run_pass, untouched

from bnas_deploy.converters.passes.add_slices import AddSlices
from bnas_deploy.converters.passes.fuse_affine import FuseAffine
from bnas_deploy.converters.passes.fuse_residual import FuseResidual
from bnas_deploy.converters.passes.lower_batchnorm import LowerBatchnorm
from bnas_deploy.converters.passes.pack_convs import PackConvs

STEP = FuseAffine()


def packed(g, x):
    graph, _ = PackConvs()(g.graph(x))
    return LowerBatchnorm()(graph)[0]


def stage(graph, name="c"):
    (found,) = node(graph, name).attributes["stages"]
    return found


def signs(g):
    return g.sign("s", "image")


@pytest.mark.parametrize("kind", ["binary", "depthwise"])
def test_a_batch_norm_becomes_a_stage(kind):
    g = SmallGraph()
    x = g.binary("c", signs(g), 4) if kind == "binary" else g.depthwise("c", signs(g))
    graph = run_pass(STEP, packed(g, g.norm("n", x)))
    assert ops_of(graph)[-1] in ("packed_conv", "packed_depthwise")
    assert stage(graph).kind == "affine"
    assert graph.output == "n"


def test_several_and_a_relu():
    g = SmallGraph()
    x = g.affine("a", g.norm("n", g.binary("c", signs(g), 4)))
    graph = run_pass(STEP, packed(g, g.relu("r", x)))
    assert ops_of(graph) == ["sign", "packed_conv"]
    assert (stage(graph).kind, stage(graph).activation) == ("affine", "relu")


def test_it_is_added_onto_a_shortcut_by_the_passes_behind():
    g = SmallGraph()
    x = g.norm("n", g.binary("c", signs(g), 3))
    graph = run_pass(STEP, packed(g, g.plus("y", x, "image")))
    graph, _ = FuseResidual()(AddSlices()(graph)[0])
    assert ops_of(graph) == ["sign", "packed_conv"]
    assert (stage(graph).kind, stage(graph).addend) == ("affine", 1)


def test_what_others_read_or_is_no_sum_stays():
    g = SmallGraph()
    x = g.binary("c", signs(g), 3)
    assert untouched(STEP, packed(g, g.plus("y", g.norm("n", x), x)))
    g = SmallGraph()
    x = g.binary("c", signs(g), 3, activation="relu")
    assert untouched(STEP, packed(g, g.norm("n", x)))
    g = SmallGraph()
    assert untouched(STEP, packed(g, g.norm("n", "image")))
