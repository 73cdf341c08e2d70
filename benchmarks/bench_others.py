"""Networks that are not BNAS, one input, one thread, against their float counterparts.

The answer is checked first, as in bench_network; all runners of one network take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import contest
import numpy as np
import others
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bnas_deploy import engine
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.rivals import onnx_export, torch_float
from bnas_deploy.rivals.engines import RIVALS, Run, rival, within_tolerance
from bnas_deploy.rivals.turns import Contestant, race

pytestmark = contest.replayed

OWN = {"packed": False, "packed-int8": True}
"""Runner, and whether its float layers are in 8 bits."""
ROUNDS, QUICK_ROUNDS = 20, 2


def entries() -> Iterator[tuple[str, str]]:
    """Network and runner."""
    for network, other in others.NETWORKS.items():
        able = [name for name, eight_bit in OWN.items() if other.eight_bit or not eight_bit]
        yield from ((network, runner) for runner in (*able, *RIVALS))


def own(name: str, network: str) -> Run:
    """The best backend, its answer compared with the reference's."""
    model = others.packed(network, eight_bit=OWN[name])
    shape = model.program.values[model.program.input].shape
    runner = engine.create(model)

    def run(batch: np.ndarray) -> np.ndarray:
        return runner.run(batch.reshape(len(batch), *shape))

    batch = others.inputs(network)
    expected = ReferenceRunner(model).run(batch.reshape(len(batch), *shape))
    np.testing.assert_array_equal(run(batch), expected)
    return run


@cache
def exported(network: str, int8: bool) -> bytes:
    """The float counterpart as ONNX."""
    batch = others.inputs(network, others.BATCH)
    return onnx_export.export(others.float_network(network), batch, int8=int8)


def opponent(name: str, network: str) -> Run:
    """A rival on the float counterpart, its answer compared with PyTorch's."""
    module, batch = others.float_network(network), others.inputs(network)
    run = rival(name, module, lambda int8: exported(network, int8))
    # What int8 rounds away grows from layer to layer of these networks of random weights.
    within_tolerance(name, run(batch), torch_float.runner(module)(batch), slack=2.5)
    return run


@cache
def raced(network: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of every runner of a network."""
    batch = others.inputs(network)
    contestants = []
    for name in (runner for found, runner in entries() if found == network):
        run = own(name, network) if name in OWN else opponent(name, network)
        contestants.append(Contestant(name, lambda r=run: r(batch)))  # type: ignore[misc]
    return race(contestants, rounds)


@pytest.mark.parametrize(("network", "runner"), list(entries()))
def bench_others(benchmark: BenchmarkFixture, network: str, runner: str, quick: bool) -> None:
    seconds = raced(network, QUICK_ROUNDS if quick else ROUNDS)
    contest.report(
        benchmark,
        seconds[runner],
        f"others/{network}",
        kind="other",
        network=network,
        runner=runner,
        own=runner in OWN,
    )
