"""Tests that predictions are the sums of their steps, whatever the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.made_up_latency import made_up_seconds

from bnas_deploy import engine
from bnas_deploy.errors import UsageError
from bnas_deploy.latency.edges import edge_seconds
from bnas_deploy.latency.keys import step_keys
from bnas_deploy.latency.measure import measure_table
from bnas_deploy.latency.outline import OutlineSpace, choose_outlines
from bnas_deploy.latency.packing import pack_random
from bnas_deploy.latency.predict import predict
from bnas_deploy.latency.probes import random_genotype
from bnas_deploy.nn.genotype import EDGES_PER_NODE, Genotype
from bnas_deploy.search.space import PAPER_SPACE, SUPERNET_EDGES

SOURCES = [source for _, source in SUPERNET_EDGES]


def packed(config, covers, **changes):
    return pack_random(replace(config, **changes), eight_bit=covers.eight_bit)


@pytest.mark.parametrize("seed", range(8))
def test_random_networks_are_predicted_as_their_steps_add_up(seed, table, base, covers):
    # Widths that are not in the table, and cells that no probe has.
    rng = np.random.default_rng(seed)
    widths = tuple(int(w) for w in np.sort(rng.integers(8, 33, 3)))
    layers = int(rng.integers(3, 8))
    first = int(rng.integers(0, layers - 1))
    model = packed(
        base, covers, layers=layers, channels=widths[0], widths=widths,
        reduce_at=(first, layers - 1), genotype=random_genotype(rng, covers.primitives),
    )  # fmt: skip
    found = predict(table, model)
    keys = step_keys(model.program, model.tensors)
    assert found.steps == len(keys) >= found.interpolated
    true = table.overhead_seconds + sum(map(made_up_seconds, keys))
    assert found.seconds == pytest.approx(true, rel=0.02)
    assert sum(found.by_work.values()) == pytest.approx(found.seconds - table.overhead_seconds)


def test_a_probe_is_predicted_without_interpolation(table, base, covers):
    assert (
        predict(table, packed(base, covers)).interpolated_seconds
        < predict(table, packed(base, covers, channels=9)).interpolated_seconds
    )


def test_zeroise_is_free_and_the_largest_kernel_costs_most(table, base):
    found = edge_seconds(table, base, PAPER_SPACE, SOURCES)
    for seconds in found.values():
        assert seconds.shape == (len(SUPERNET_EDGES), len(PAPER_SPACE))
        assert (seconds[:, PAPER_SPACE.index("none")] == 0).all()
        others = np.delete(seconds, PAPER_SPACE.index("none"), axis=1)
        assert (others > 0).all()


def test_edges_tell_networks_apart_as_predictions_do(table, base, covers):
    # From cells of convolutions with all inputs read to the same with pools in two places.
    edges = edge_seconds(table, base, PAPER_SPACE, SOURCES)["normal"]
    conv, pool = "bin_conv_3x3", "max_pool_3x3"
    cell = [(conv, s) for s in (0, 1, 0, 1, 0, 1, 2, 3)]
    changed = [*cell[:6], (pool, 2), (pool, 3)]
    times = [
        predict(table, packed(base, covers, genotype=Genotype(tuple(c), tuple(cell)))).seconds
        for c in (cell, changed)
    ]
    place = {(t, s): row for row, (t, s) in enumerate(SUPERNET_EDGES)}
    own = sum(
        edges[place[2 + j // EDGES_PER_NODE, s], PAPER_SPACE.index(name)] * sign
        for edges_, sign in ((cell, 1), (changed, -1))
        for j, (name, s) in enumerate(edges_)
    )
    assert times[0] > times[1]
    assert times[0] - times[1] == pytest.approx(own, rel=0.35)


def test_outlines_are_within_the_time_and_have_the_most_work(table, base):
    space = OutlineSpace((3, 5), (8, 16, 32), ("paper",), ("pool1x1",))
    target = 1.2 * predict(table, pack_random(base, eight_bit=("shortcut",))).seconds
    found = choose_outlines(table, base, space, target_seconds=target, count=3, tries=8)
    assert all(outline.seconds <= target for outline in found)
    assert [o.binary_macs for o in found] == sorted((o.binary_macs for o in found), reverse=True)
    with pytest.raises(UsageError, match=r"the least found is 0\.\d+ ms; allow narrower"):
        choose_outlines(table, base, space, target_seconds=1e-9, tries=4)


@pytest.mark.skipif(engine.available()["native"] is not None, reason="needs the native engine")
def test_a_measured_table_has_the_steps_of_its_probes(base, covers):
    told = []
    table = measure_table(
        base, replace(covers, widths=(8, 16)), rounds=1, tell=lambda *words: told.append(words)
    )
    assert told[0][0] == "packing networks of random cells"
    assert table.machine["isa"]
    assert all(seconds >= 0 for seconds in table.steps.values())
    found = predict(table, pack_random(base, eight_bit=covers.eight_bit))
    assert found.seconds > 0
    assert found.interpolated < found.steps
