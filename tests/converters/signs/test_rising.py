"""Rising functions in front of a threshold: their ends, their inverses, and where they stop."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.converters.graph.builder import GraphBuilder
from bnas_deploy.converters.signs.rising import Rising, chain_of, inverted


def scaled(build, value, scale, shift):
    zeros = np.zeros(2)
    terms = {"weight": zeros + scale, "bias": zeros + shift, "mean": zeros, "var": zeros + 1}
    return build.add("batch_norm", f"{value}.scaled", (value,), {"eps": 0.0}, terms)


def clipped(build, value, low, high):
    ends = {"low": np.full(2, low), "high": np.full(2, high)}
    return build.add("clip", f"{value}.clipped", (value,), {}, ends)


def chain(build, value, known=None):
    return chain_of(value, 2, build.producers.get, known or {})


def test_a_clip_that_is_scaled():
    build = GraphBuilder((2, 3, 3))
    found = chain(build, scaled(build, clipped(build, "image", -1.0, 1.0), -0.5, 0.5))
    assert found.source == "image"
    assert (found.low == 0).all()
    assert (found.high == 1).all()
    assert (found.direction == -1).all()
    assert found.inverse(np.array([0.25, 0.5])).tolist() == [0.5, 0.0]
    assert found.holds(np.array([0.1, 0.9]))
    assert not found.holds(np.array([0.1, 1.0]))


def test_a_scale_alone_is_no_chain():
    build = GraphBuilder((2, 3, 3))
    assert chain(build, scaled(build, "image", 2.0, 1.0)) is None
    before = scaled(build, "image", 2.0, 1.0)
    assert chain(build, clipped(build, before, -1.0, 1.0)).source == before


def test_what_falls_somewhere_is_no_chain():
    build = GraphBuilder((2, 3, 3))
    slopes = {"slope": np.array([0.25, -1.0])}
    assert chain(build, build.add("prelu", "magnitude", ("image",), {}, slopes)) is None


@pytest.mark.parametrize("function", [np.exp, np.arctan, np.expm1, lambda x: x + 0.1 * np.tanh(x)])
@pytest.mark.filterwarnings("ignore:overflow")
def test_inverses(function):
    numbers = np.array([-3.0, -1e-6, 0.0, 0.5, 7.0])
    np.testing.assert_allclose(inverted(function)(function(numbers)), numbers, 1e-9, 1e-15)


def test_functions_that_are_no_nodes():
    build = GraphBuilder((2, 3, 3))
    known = {"exponential": Rising("image", np.exp, np.log)}
    build.add("relu", "relu", ("image",), {}, {})
    found = chain(build, "exponential", known)
    assert found.source == "image"
    assert (found.low == 0).all()
    assert np.isinf(found.high).all()
