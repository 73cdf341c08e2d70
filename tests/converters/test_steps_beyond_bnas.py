"""Graphs of the operations beyond BNAS, through all passes, the program, its backends and ONNX.

Such as squeeze-and-excitation, groups, PReLU, pools of signs, constant maps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.small_graphs import SmallGraph, images_like, ops_of

from bnas_deploy import engine
from bnas_deploy.converters.from_onnx.logits import onnx_logits
from bnas_deploy.converters.graph.evaluate import evaluate
from bnas_deploy.converters.packing.emit import emit
from bnas_deploy.converters.passes.pipeline import PIPELINE, run_pipeline
from bnas_deploy.converters.to_onnx.graph import graph_to_onnx
from bnas_deploy.converters.to_onnx.program import program_to_onnx
from bnas_deploy.errors import ConversionError, PassError
from bnas_deploy.format import PackedModel, Preprocessing, validate


def single(graph):
    """The same graph in float32."""

    def narrowed(array):
        return array.astype(np.float32) if array.dtype == np.float64 else array

    return graph.with_nodes(
        replace(n, constants={k: narrowed(a) for k, a in n.constants.items()}) for n in graph.nodes
    )


def grouped(g):
    """A block of ResNeXt: groups that fill planes and groups that do not."""
    x = g.sign("s1", g.norm("n1", g.conv("stem", "image", 12, groups=3)))
    y = g.norm("n2", g.binary("c1", x, 24, groups=3))
    x = g.sign("s2", y)
    z = g.binary("c2", x, 16, groups=2)
    both = g.plus("y", g.binary("c3", g.sign("s3", g.norm("n3", z)), 24, 1, padding=0), y)
    return g.conv("end", both, 24, groups=24)


def squeezed(g):
    """Squeeze-and-excitation behind a binary convolution, and hard sigmoid too."""
    x = g.norm("n", g.binary("c", g.sign("s", "image"), 9))
    gate = g.conv("g1", g.mean("m", x), 4, 1, padding=0, activation="relu")
    gate = g.sigmoid("gate", g.conv("g2", gate, 9, 1, padding=0))
    x = g.times("se", x, gate)
    return g.times("hard", x, g.clip("k", g.affine("a", g.mean("m2", x))))


def scaled_by_maps(g):
    """XNOR-Net++'s constants of rows and columns, of one and of all channels; PReLU."""
    x = g.binary("c", g.sign("s", g.norm("n", "image")), 6)
    x = g.times("t1", x, g.constant("rows", (1, 6, 5)))
    x = g.prelu("q", g.times("t2", x, g.constant("all", (6, 6, 5))))
    return g.plus("y", x, g.constant("position", (6, 6, 5)))


def pooled(g):
    """Pools before signs, of a binary convolution and of a float one."""
    x = g.sign("s1", g.norm("n1", g.pool("p1", g.conv("stem", "image", 10), stride=1)))
    x = g.relu("r", g.pool("p2", g.binary("c", x, 20), stride=2))
    return g.binary("c2", g.sign("s2", g.norm("n2", x)), 5)


def known_channels(g):
    """Channels that are the same for every image reach groups and products."""
    x = g.concat("z", g.zero("zero", (3, 6, 5)), "image")
    y = g.prelu("q", g.norm("n", x))
    bits = g.sign("s", y)
    a = g.binary("c", bits, 6, groups=2)
    b = g.conv("f", g.sigmoid("sig", y), 6, groups=3)
    return g.times("t", g.plus("y", a, b), g.clip("k", y))


def constants_in_a_group(g):
    """A value of which nothing is left but what is known."""
    x = g.norm("n", g.zero("zero", (4, 6, 5)))
    return g.plus("y", g.conv("f", x, 4, groups=4), g.conv("h", "image", 4))


def gated(g):
    """Hard sigmoids: as a gate, and where some channels, or as many as it has terms, are known."""
    x = g.norm("n", g.concat("z", g.zero("zero", (2, 6, 5)), "image"))
    gate = g.hard_sigmoid("gate", g.mean("m", x))
    x = g.times("t", x, gate)
    half = g.hard_sigmoid("half", g.norm("n2", g.zero("zero2", (2, 6, 5))))
    y = g.binary("c", g.sign("s", g.norm("n3", g.hard_sigmoid("h", x))), 2)
    return g.plus("y", y, half)


GRAPHS = [gated, grouped, squeezed, scaled_by_maps, pooled, known_channels, constants_in_a_group]


def finished(make, seed=0):
    g = SmallGraph(seed=seed)
    return g.graph(g.linear("logits", g.mean("mean", make(g)), 4))


@pytest.mark.parametrize("make", GRAPHS)
@pytest.mark.parametrize("seed", range(4))
def test_every_pass_keeps_the_meaning(make, seed):
    graph = finished(make, seed)
    images = images_like(graph)
    want = evaluate(graph, images)
    for step in PIPELINE:
        graph, modified = step(graph)
        if modified:
            assert np.abs(evaluate(graph, images) - want).max() < 1e-9, step.name
        assert step(graph) == (graph, False), step.name


@pytest.mark.parametrize("make", GRAPHS)
def test_the_program_computes_the_graph_in_every_backend_and_as_onnx(make):
    graph = single(finished(make))
    lowered, _ = run_pipeline(graph)
    program, tensors = emit(lowered)
    preprocessing = Preprocessing(6, (6, 5), (0.0,) * 3, (1.0,) * 3)
    model = PackedModel(program, tensors, preprocessing, tuple("abcd"))
    validate(model)
    images = images_like(graph, 4).astype(np.float32)
    want = evaluate(graph, images)
    logits = engine.create(model, backend="reference").run(images)
    room = 1e-4 * (1 + np.abs(want).max())
    assert np.abs(logits - want).max() < room
    for backend in ("numba", "native"):
        assert np.array_equal(engine.create(model, backend=backend).run(images), logits)
    for proto in (graph_to_onnx(graph), program_to_onnx(model)):
        assert np.abs(onnx_logits(proto, images) - want).max() < room


def test_the_pipeline_leaves_what_it_can_fuse_to_stages():
    lowered, _ = run_pipeline(single(finished(pooled)))
    assert "max_pool" not in ops_of(lowered)
    assert ops_of(lowered).count("binary_max_pool") == 2
    lowered, _ = run_pipeline(single(finished(grouped)))
    assert "affine" not in ops_of(lowered)


def test_signs_that_are_0_are_not_laid_twice_in_groups():
    g = SmallGraph()
    x = g.binary("c", g.sign("s", "image", zero_sign=0), 3, groups=3)
    with pytest.raises(PassError, match="in groups cannot read signs of which some are 0"):
        run_pipeline(g.graph(g.mean("m", x)))


@pytest.mark.parametrize("outputs", [4, 5])
def test_groups_that_do_not_divide_are_refused(outputs):
    g = SmallGraph()
    weight = np.ones((outputs, 1, 1, 1))
    window = {"stride": (1, 1), "padding": (0,) * 4, "dilation": (1, 1), "activation": "none"}
    with pytest.raises(ConversionError, match="or of a group of them"):
        g.add("conv", "c", ("image",), window, {"weight": weight})
