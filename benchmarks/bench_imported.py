"""Networks that came in as ONNX, one input, one thread, against their float counterparts.

The answer is checked first, as in bench_network; all runners of one network take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import contest
import imported
import numpy as np
import pytest
from contest import Contestant
from opponents import RIVALS, Run, rival, within_tolerance
from pytest_benchmark.fixture import BenchmarkFixture
from rivals import onnx_runtime, torch_float

from bnas_deploy import engine
from bnas_deploy.engine.reference import ReferenceRunner

pytestmark = contest.replayed

OWN = "packed"
ROUNDS, QUICK_ROUNDS = 20, 2
CALIBRATION_INPUTS = 16


def entries() -> Iterator[tuple[str, str]]:
    """Network and runner."""
    for network in imported.NETWORKS:
        yield from ((network, runner) for runner in (OWN, *RIVALS))


def own(network: str) -> Run:
    """The best backend, its answer compared with the reference's."""
    model = imported.packed(network)
    shape = model.program.values[model.program.input].shape
    runner = engine.create(model)

    def run(batch: np.ndarray) -> np.ndarray:
        return runner.run(batch.reshape(len(batch), *shape))

    batch = imported.inputs(network)
    expected = ReferenceRunner(model).run(batch.reshape(len(batch), *shape))
    np.testing.assert_array_equal(run(batch), expected)
    return run


@cache
def exported(network: str, int8: bool) -> bytes:
    """The float counterpart as ONNX."""
    batch = imported.inputs(network, CALIBRATION_INPUTS)
    return onnx_runtime.export(imported.float_network(network), batch, int8=int8)


def opponent(name: str, network: str) -> Run:
    """A rival on the float counterpart, its answer compared with PyTorch's."""
    module, batch = imported.float_network(network), imported.inputs(network)
    run = rival(name, module, lambda int8: exported(network, int8))
    within_tolerance(name, run(batch), torch_float.runner(module)(batch))
    return run


@cache
def raced(network: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of every runner of a network."""
    batch = imported.inputs(network)
    runs = {OWN: own(network), **{name: opponent(name, network) for name in RIVALS}}
    contestants = [Contestant(name, lambda r=run: r(batch)) for name, run in runs.items()]  # type: ignore[misc]
    return contest.race(contestants, rounds)


@pytest.mark.parametrize(("network", "runner"), list(entries()))
def bench_imported(benchmark: BenchmarkFixture, network: str, runner: str, quick: bool) -> None:
    seconds = raced(network, QUICK_ROUNDS if quick else ROUNDS)
    contest.report(
        benchmark,
        seconds[runner],
        f"imported/{network}",
        kind="imported",
        network=network,
        runner=runner,
        own=runner == OWN,
    )
