"""find_prelu: a PReLU as the sum of two ReLUs."""

from __future__ import annotations

import numpy as np
import pytest
from support.small_graphs import SmallGraph, node, ops_of, run_pass, untouched

from bnas_deploy.converters.passes.find_prelu import FindPrelu

STEP = FindPrelu()


def spelled(g, x, a, b, *, swapped=False):
    straight = g.relu("straight", x)
    bent = g.scaled("b", g.relu("bent", g.scaled("a", x, a)), b)
    return g.plus("sum", *((bent, straight) if swapped else (straight, bent)))


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("a", "b"), [(-1, -0.25), (-2, -0.25), (-1, 0.5)])
def test_two_relus_become_a_prelu(a, b, swapped):
    g = SmallGraph()
    graph = run_pass(STEP, g.graph(spelled(g, g.norm("n", "image"), a, b, swapped=swapped)))
    assert ops_of(graph) == ["batch_norm", "prelu"]
    np.testing.assert_allclose(node(graph, "sum").constants["slope"], a * b)


def test_a_slope_a_channel():
    g = SmallGraph()
    slopes = np.array([0.1, -0.2, 0.3])
    graph = run_pass(STEP, g.graph(spelled(g, "image", -1, -slopes)))
    np.testing.assert_allclose(node(graph, "sum").constants["slope"], slopes)


def test_the_same_side_twice_is_none():
    g = SmallGraph()
    assert untouched(STEP, g.graph(spelled(g, "image", 1, -0.5)))


def test_a_shift_between_is_none():
    g = SmallGraph()
    bent = g.norm("b", g.relu("bent", g.scaled("a", "image", -1)))
    assert untouched(STEP, g.graph(g.plus("sum", g.relu("straight", "image"), bent)))


def test_what_others_read_stays():
    g = SmallGraph()
    x = spelled(g, "image", -1, -0.5)
    assert untouched(STEP, g.graph(g.plus("again", x, "straight")))


def test_sums_of_two_inputs_stay():
    g = SmallGraph()
    bent = g.scaled("b", g.relu("bent", g.scaled("a", "image", -1)), 0.5)
    assert untouched(STEP, g.graph(g.plus("sum", g.relu("straight", g.norm("n", "image")), bent)))
