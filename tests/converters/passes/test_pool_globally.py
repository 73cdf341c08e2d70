"""pool_globally: only where the window is the whole image."""

from __future__ import annotations

import pytest
from support.small_graphs import SmallGraph, ops_of, run_pass, untouched

from bnas_deploy.converters.passes.pool_globally import PoolGlobally

STEP = PoolGlobally()


def pooled(g, kernel, *, stride=(1, 1), padding=(0, 0, 0, 0), op="avg_pool"):
    window = {"kernel": kernel, "stride": stride, "padding": padding}
    return g.graph(g.add(op, "p", ("image",), window))


@pytest.mark.parametrize("shape", [(3, 6, 4), (2, 1, 7), (1, 1, 1)])
@pytest.mark.parametrize("stride", [(1, 1), (9, 9)])
def test_a_window_as_large_as_the_image(shape, stride):
    graph = run_pass(STEP, pooled(SmallGraph(shape), shape[1:], stride=stride))
    assert ops_of(graph) == ["global_avg_pool"]


def test_other_windows_stay():
    assert untouched(STEP, pooled(SmallGraph((3, 6, 4)), (6, 3)))
    assert untouched(STEP, pooled(SmallGraph((3, 6, 4)), (6, 4), padding=(1, 0, 0, 0)))
    assert untouched(STEP, pooled(SmallGraph((3, 6, 4)), (6, 4), op="max_pool"))
