"""Tests of the search space and its ablations."""

from __future__ import annotations

import pytest

from bnas_deploy.errors import ConfigError
from bnas_deploy.nn.genotype import PRIMITIVES
from bnas_deploy.search import space
from bnas_deploy.search.space import PAPER_SPACE, SUPERNET_EDGES, build_space, is_learnable


def test_the_paper_space_is_known_to_genotypes():
    assert build_space() == PAPER_SPACE
    assert set(PAPER_SPACE) <= set(PRIMITIVES)
    assert len(PAPER_SPACE) == 7


def test_fourteen_edges_read_every_state_before_them():
    assert SUPERNET_EDGES[:5] == ((2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
    assert [target for target, _ in SUPERNET_EDGES] == 2 * [2] + 3 * [3] + 4 * [4] + 5 * [5]
    assert all(source < target for target, source in SUPERNET_EDGES)


def test_ablations():
    assert build_space(zeroise=False) == PAPER_SPACE[1:]
    assert build_space(dilated=False) == PAPER_SPACE[:5]


def test_separable_convolutions_that_are_registered(monkeypatch):
    monkeypatch.setattr(space, "PRIMITIVES", (*PAPER_SPACE, *space.SEPARABLE))
    assert build_space(separable=True) == (*PAPER_SPACE, *space.SEPARABLE)
    assert space.SEPARABLE[0] not in build_space()


def test_separable_convolutions_that_are_not(monkeypatch):
    monkeypatch.setattr(space, "PRIMITIVES", PAPER_SPACE)
    with pytest.raises(ConfigError, match="bin_sep_conv_5x5 are not registered; known are none"):
        build_space(separable=True)


def test_what_is_learnable():
    assert [name for name in PAPER_SPACE if not is_learnable(name)] == list(PAPER_SPACE[:3])
