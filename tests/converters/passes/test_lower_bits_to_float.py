from __future__ import annotations

import numpy as np
import pytest
from support.small_graphs import SmallGraph, node, ops_of, run_pass, untouched

from bnas_deploy.converters.passes.lower_bits_to_float import LowerBitsToFloat
from bnas_deploy.converters.passes.pipeline import run_pipeline
from bnas_deploy.errors import PassError


@pytest.mark.parametrize("channels", [1, 2, 63, 64, 65])
def test_signs_become_numbers(channels):
    g = SmallGraph((channels, 4, 3))
    x = g.add("bits_to_float", "f", (g.sign("s", g.norm("n", "image")),))
    result = run_pass(LowerBitsToFloat(), g.graph(g.conv("c", x, 2)))
    assert ops_of(result) == ["batch_norm", "sign", "binary_depthwise", "conv"]
    assert node(result, "f").constants["weight"].shape == (channels, 1, 1, 1)


def test_it_ends_as_a_packed_step():
    g = SmallGraph()
    x = g.add("bits_to_float", "f", (g.sign("s", g.norm("n", "image")),))
    graph, _ = run_pipeline(g.graph(g.conv("c", x, 2)))
    assert ops_of(graph) == ["binarize", "packed_depthwise", "conv"]
    assert np.array_equal(node(graph, "f").constants["f.scale"], np.ones(3))


def test_leaves_other_graphs_alone():
    g = SmallGraph()
    assert untouched(LowerBitsToFloat(), g.graph(g.unit("u", "image", 2)))


def test_needs_a_graph_that_is_not_packed():
    g = SmallGraph()
    graph, _ = run_pipeline(g.graph(g.unit("u", "image", 2)))
    with pytest.raises(PassError, match="needs a graph without packed_conv"):
        LowerBitsToFloat()(graph)
