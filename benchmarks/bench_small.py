"""Small networks for CIFAR-10, one image, one thread: packed BNAS against int8 residual networks.

A user chooses among networks, not only among engines: here the rivals run the ResNet-20 and
ResNet-56 of He et al. (2016). All runners of both kinds take turns. Answers are checked first, as
in bench_network.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import contest
import networks
import numpy as np
import pytest
import small_floats
from networks import Variant
from pytest_benchmark.fixture import BenchmarkFixture

from bnas_deploy import engine
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.rivals import onnx_export, torch_float
from bnas_deploy.rivals.engines import RIVALS, Run, rival, within_tolerance
from bnas_deploy.rivals.turns import Contestant, race

pytestmark = contest.replayed

OWN = {f"BNAS-{name}": Variant(name, shortcut="pool1x1", eight_bit=True) for name in ("Mini", "A")}
ROUNDS, QUICK_ROUNDS = 30, 2


def entries() -> Iterator[tuple[str, str]]:
    """Network and runner."""
    yield from ((network, "packed") for network in OWN)
    for network in small_floats.NAMES:
        yield from ((network, runner) for runner in RIVALS)


def own(network: str) -> Run:
    """The best backend, its answer compared with the reference's."""
    model, image = networks.packed(OWN[network]), networks.images(small_floats.SIZE)
    run = engine.create(model).run
    np.testing.assert_array_equal(run(image), ReferenceRunner(model).run(image))
    return run


@cache
def exported(network: str, int8: bool) -> bytes:
    """A residual network as ONNX."""
    batch = networks.images(small_floats.SIZE, networks.CALIBRATION_IMAGES)
    return onnx_export.export(small_floats.build(network), batch, int8=int8)


def opponent(name: str, network: str) -> Run:
    """A rival on a residual network, its answer compared with PyTorch's."""
    module, image = small_floats.build(network), networks.images(small_floats.SIZE)
    run = rival(name, module, lambda int8: exported(network, int8))
    # What int8 rounds away grows from layer to layer of these networks of random weights.
    within_tolerance(name, run(image), torch_float.runner(module)(image), slack=2.5)
    return run


@cache
def raced(rounds: int) -> dict[tuple[str, str], list[float]]:
    """Seconds of every runner of every network."""
    image = networks.images(small_floats.SIZE)
    contestants = []
    for network, name in entries():
        run = own(network) if network in OWN else opponent(name, network)
        contestants.append(Contestant(f"{name}/{network}", lambda r=run: r(image)))  # type: ignore[misc]
    seconds = race(contestants, rounds)
    return {(network, name): seconds[f"{name}/{network}"] for network, name in entries()}


@pytest.mark.parametrize(("network", "runner"), list(entries()))
def bench_small(benchmark: BenchmarkFixture, network: str, runner: str, quick: bool) -> None:
    seconds = raced(QUICK_ROUNDS if quick else ROUNDS)[network, runner]
    facts = {"kind": "small", "network": network, "runner": runner, "own": network in OWN}
    contest.report(benchmark, seconds, "small", **facts)
