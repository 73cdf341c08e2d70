"""Tests of the selection (Eq. 5) on probabilities made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE
from bnas_deploy.search.selection import select_cell, select_genotype, shares
from bnas_deploy.search.space import SUPERNET_EDGES

SPACE = ("none", "max_pool_3x3", "bin_conv_3x3")
POOL = (0.1, 0.6, 0.3)


def probabilities(**edges):
    """Every edge is a weak pool, but those given as e32=(...): state 3 reads state 2."""
    p = np.full((len(SUPERNET_EDGES), 3), POOL) / 2
    for name, row in edges.items():
        p[SUPERNET_EDGES.index((int(name[1]), int(name[2])))] = row
    return p


def test_the_two_edges_of_largest_value_the_largest_first():
    p = probabilities(e52=(0, 0, 0.9), e54=(0, 0.8, 0), e51=(0.7, 0, 0))
    assert select_cell(p, SPACE, 1.0)[6:] == (("bin_conv_3x3", 2), ("max_pool_3x3", 4))


def test_zeroise_may_win_and_is_kept():
    p = probabilities(e30=(0.9, 0.05, 0.05), e32=(0.8, 0.1, 0.1))
    assert select_cell(p, SPACE, 1.0)[2:4] == (("none", 0), ("none", 2))


def test_gamma_divides_zeroise_alone_and_on_every_edge():
    p = np.tile([0.5, 0.2, 0.3], (len(SUPERNET_EDGES), 1))
    assert {name for name, _ in select_cell(p, SPACE, 1.6)} == {"none"}
    assert {name for name, _ in select_cell(p, SPACE, 1.7)} == {"bin_conv_3x3"}
    assert {name for name, _ in select_cell(p, SPACE, 0.1)} == {"none"}


def test_gamma_counts_in_the_choice_of_edges_too():
    # 0.6 / 3 = 0.2 still wins on its edge, but not against the other edges' 0.3.
    p = probabilities(e40=(0.6, 0.1, 0.1))
    assert select_cell(p, SPACE, 1.0)[4] == ("none", 0)
    assert select_cell(p, SPACE, 3.0)[4:6] == (("max_pool_3x3", 1), ("max_pool_3x3", 2))


def test_infinite_gamma_never_keeps_zeroise():
    p = np.tile([1.0, 0.0, 0.0], (len(SUPERNET_EDGES), 1))
    assert {name for name, _ in select_cell(p, SPACE, float("inf"))} == {"max_pool_3x3"}


def test_ties_go_to_the_first_primitive_and_the_earlier_state():
    p = np.full((len(SUPERNET_EDGES), 3), 1 / 3)
    expected = (("none", 0), ("none", 1)) * 4
    assert select_cell(p, SPACE, 1.0) == expected


def test_without_zeroise_in_the_space_gamma_does_nothing():
    p = np.random.default_rng(0).random((len(SUPERNET_EDGES), 2))
    assert select_cell(p, SPACE[1:], 3.0) == select_cell(p, SPACE[1:], 1.0)


def test_probabilities_are_not_changed():
    p = probabilities()
    before = p.copy()
    select_cell(p, SPACE, 3.0)
    assert np.array_equal(p, before)


def test_both_cells():
    p = {"normal": probabilities(), "reduce": probabilities(e20=(0, 0, 1))}
    genotype = select_genotype(p, SPACE, 1.0)
    assert genotype.normal[0] == ("max_pool_3x3", 0)
    assert genotype.reduce[0] == ("bin_conv_3x3", 0)


@pytest.mark.parametrize("gamma", [0.0, -1.0, float("nan")])
def test_gamma_out_of_range(gamma):
    with pytest.raises(ConfigError, match="gamma must be above 0"):
        select_cell(probabilities(), SPACE, gamma)


def test_probabilities_of_another_shape():
    with pytest.raises(ConfigError, match=r"shape \(14, 3\); got \(13, 3\)"):
        select_cell(probabilities()[1:], SPACE, 1.0)


def test_shares_of_the_published_cell():
    # 2 convolutions and 12 Zeroise among 16 edges; the other 2 are pools.
    assert shares(LATEST_CELL_ZEROISE) == (2 / 16, 12 / 16)
