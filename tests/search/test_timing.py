"""Tests of the time in the search: expectation, target, and a search that resumes with it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from support.made_up_latency import small_network, small_table

from bnas_deploy.errors import UsageError
from bnas_deploy.latency.edges import edge_seconds
from bnas_deploy.nn.genotype import EDGES_PER_NODE
from bnas_deploy.search import timing as timing_module
from bnas_deploy.search.checkpoint import load_search, save_search
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.search.selection import select_genotype
from bnas_deploy.search.space import PAPER_SPACE, SUPERNET_EDGES
from bnas_deploy.search.timing import Timing
from bnas_deploy.search.within import select_within
from bnas_deploy.training.machine.device import Runtime


@cache
def edges_once(space, sources):
    return edge_seconds(small_table(), small_network(), space, sources)


@pytest.fixture(autouse=True)
def _edges_are_packed_once(monkeypatch):
    def found(table, config, space, sources):
        assert table == small_table()
        return edges_once(tuple(space), tuple(sources))

    monkeypatch.setattr(timing_module, "edge_seconds", found)


ROWS = {edge: row for row, edge in enumerate(SUPERNET_EDGES)}


def timing(**recipe):
    return Timing(small_table(), small_network(), SearchRecipe(**recipe))


def probabilities(seed, sharpness=1.0):
    rng = np.random.default_rng(seed)
    value = {k: sharpness * rng.standard_normal((14, 7)) for k in ("normal", "reduce")}
    return {k: np.exp(v) / np.exp(v).sum(1, keepdims=True) for k, v in value.items()}


def alphas_of(p):
    return {k: torch.log(torch.from_numpy(v)).float().requires_grad_() for k, v in p.items()}


def edges_of(genotype, seconds):
    """The sum over the edges of both cells."""
    return sum(
        seconds[kind][ROWS[2 + j // EDGES_PER_NODE, source], PAPER_SPACE.index(name)]
        for kind in ("normal", "reduce")
        for j, (name, source) in enumerate(getattr(genotype, kind))
    )


@pytest.mark.parametrize("gamma", [1.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_expectation_becomes_the_time_of_the_derived_edges(seed, gamma):
    one = timing(latency_weight=1.0)
    rng = np.random.default_rng(seed)
    p = {}
    for kind in ("normal", "reduce"):
        sure = rng.uniform(0.99, 1.0, (14, 1))
        chosen = np.eye(7, dtype=bool)[rng.integers(0, 7, 14)]
        p[kind] = np.where(chosen, sure, (1 - sure) / 6)
    expected = one.unit * float(one.expected(alphas_of(p), gamma).detach())
    derived = select_genotype(p, PAPER_SPACE, gamma)
    assert expected == pytest.approx(edges_of(derived, one.edges), rel=0.05)


def test_the_gradient_makes_zeroise_likelier_and_the_dearest_less_likely():
    one = timing(latency_weight=1.0)
    alphas = alphas_of(probabilities(0, 0.0))
    one.expected(alphas, 1.0).backward()
    gradient = alphas["normal"].grad.sum(0)
    assert int(gradient.argmax()) == int(one.edges["normal"].sum(0).argmax())
    assert gradient[PAPER_SPACE.index("none")] < 0
    assert torch.allclose(alphas["normal"].grad.sum(1), torch.zeros(14), atol=1e-6)
    read = alphas["normal"].grad.abs().sum(1) > 0
    assert int(read.sum()) == 8  # the edges that the derivation keeps


@pytest.mark.parametrize("seed", range(4))
def test_cells_are_within_the_target_and_otherwise_those_of_eq_5(seed):
    plain = timing()
    p = probabilities(seed)
    free = plain.cells(p, 3.0)
    assert free == select_genotype(p, PAPER_SPACE, 3.0)
    dear = 1e3 * plain.predicted(free)
    one = timing(target_ms=0.8 * dear)
    bound = one.cells(p, 3.0)
    assert one.predicted(bound) <= 0.8 * dear / 1e3
    changed = sum(a != b for a, b in zip(free.normal + free.reduce, bound.normal + bound.reduce,
                                         strict=True))  # fmt: skip
    assert 0 < changed < 16
    assert all(a[1] == b[1] for a, b in zip(free.normal, bound.normal, strict=True))


def test_the_change_of_least_probability_is_made_first():
    p = {k: np.full((14, 7), 0.01) for k in ("normal", "reduce")}
    space = PAPER_SPACE
    for value in p.values():
        value[:, space.index("bin_conv_3x3")] = 0.5
    p["normal"][0, space.index("none")] = 0.45  # the nearest rival of all
    edges = {k: np.tile(np.arange(7.0), (14, 1)) for k in p}
    found = select_within(
        p, space, 1.0, target=47.5, edges=edges, predict=lambda g: edges_of(g, edges)
    )
    assert found.normal[0] == ("none", 0)
    assert [name for name, _ in found.normal[1:] + found.reduce] == ["bin_conv_3x3"] * 15


def test_time_that_is_left_is_used_where_the_search_is_undecided():
    # Zeroise is just ahead on some edges and far ahead on the others.
    space = PAPER_SPACE
    none, conv = space.index("none"), space.index("bin_conv_3x3")
    p = {k: np.full((14, 7), 0.01) for k in ("normal", "reduce")}
    for value in p.values():
        value[:, none], value[:, conv] = 0.9, 0.1
    p["normal"][:, none], p["normal"][:, conv] = 0.50, 0.45
    edges = {k: np.tile(np.arange(7.0), (14, 1)) for k in p}

    def cells(target):
        return select_within(
            p, space, 1.0, target=target, edges=edges, predict=lambda g: edges_of(g, edges)
        )

    found = cells(1000)
    assert [name for name, _ in found.normal] == ["bin_conv_3x3"] * 8
    assert [name for name, _ in found.reduce] == ["none"] * 8
    assert [name for name, _ in cells(10).normal].count("bin_conv_3x3") == 3


def test_a_target_that_no_cells_meet_says_what_is_possible():
    with pytest.raises(UsageError, match=r"the least possible is about 0\.\d+ ms"):
        timing(target_ms=1e-5).check_possible([1.0])


def test_the_weight_follows_the_target():
    p = probabilities(1)
    dear = 1e3 * timing().predicted(select_genotype(p, PAPER_SPACE, 1.0))
    slow, fast = timing(target_ms=0.5 * dear), timing(target_ms=2 * dear, latency_weight=0.3)
    for one in (slow, fast):
        one.ascend(p, 1.0)
    assert slow.weight == pytest.approx(0.1)
    assert fast.weight == pytest.approx(0.25)
    for _ in range(6):
        fast.ascend(p, 1.0)
    assert fast.weight == 0
    fixed = timing(latency_weight=0.3)
    fixed.ascend(p, 1.0)
    assert fixed.weight == 0.3


def test_a_slower_measurement_tightens_the_target(monkeypatch):
    p = probabilities(2)
    dear = 1e3 * timing().predicted(select_genotype(p, PAPER_SPACE, 1.0))
    one = timing(target_ms=0.95 * dear)
    # A machine that takes a tenth longer than its table says.
    monkeypatch.setattr(one, "measured", lambda cells: [1.1 * one.predicted(g) for g in cells])
    found = one.settle(p, [1.0])[1.0]
    assert found["measured_ms"] <= 0.95 * dear
    assert found["measured_ms"] == pytest.approx(1.1 * found["predicted_ms"])
    assert one.margin < 1
    monkeypatch.setattr(one, "measured", lambda cells: [1.0 for _ in cells])
    with pytest.raises(UsageError, match=r"no cells bring|the cells found take"):
        one.settle(p, [1.0])


def test_a_table_of_another_machine_is_not_measured_on_this_one():
    found = timing(latency_weight=1.0).settle(probabilities(0), [1.0])
    assert set(found[1.0]) == {"predicted_ms"}


def test_a_resumed_search_goes_on_with_the_same_weight(make_searcher, data, watch, tmp_path):
    table, own = small_table(), small_network().genotype
    recipe = {"latency_weight": 0.5, "target_ms": 1.1e3 * timing().predicted(own)}

    def fresh():
        searcher = make_searcher(**recipe)
        return replace_timing(searcher, Timing(table, small_network(), searcher.recipe))

    whole = fresh()
    whole.run(watch())
    assert {"latency_weight", "unbound_ms", "ms_gamma_1"} <= set(whole.progress.history[-1])
    half = fresh()
    half.run(watch(stop_after=1))
    save_search(tmp_path / "c.pt", half)
    again = load_search(tmp_path / "c.pt", lambda recipe: data, Runtime())
    assert again.timing.weight == half.timing.weight
    again.run(watch())
    assert again.timing.weight == whole.timing.weight
    for kind, p in whole.probabilities().items():
        np.testing.assert_array_equal(p, again.probabilities()[kind])


def replace_timing(searcher, new):
    searcher.timing = new
    searcher.alternation.penalty = searcher._time_penalty
    return searcher
