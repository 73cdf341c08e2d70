"""Whole networks, one image, one thread: the packed engine against its float counterpart.

The answer is checked before the clock starts: the packed engine against the NumPy reference (bit
for bit), a rival against PyTorch float32 (within its number format). All runners of one network,
its variants and its rivals' float networks take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import contest
import networks
import numpy as np
import pytest
from networks import Variant
from pytest_benchmark.fixture import BenchmarkFixture

from bnas_deploy import engine
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.rivals import onnx_export, torch_float
from bnas_deploy.rivals.engines import RIVALS, Run, rival, within_tolerance
from bnas_deploy.rivals.turns import Contestant, race

pytestmark = contest.replayed

NETWORKS = ("Mini", "A", "D")
ROUNDS, QUICK_ROUNDS = 20, 2


def backends(network: str) -> Iterator[tuple[str, str | None]]:
    """The best of this machine first; for CIFAR-10's networks each backend and instruction set."""
    if engine.available()["native"] is None:
        from bnas_deploy.engine.native import backend as native

        able = [isa for isa, missing in native.isas().items() if not missing]
        yield from (("native", isa) for isa in (able if network in ("Mini", "A") else able[:1]))
    if engine.available()["numba"] is None and network in ("Mini", "A"):
        yield "numba", None


def own_entries(network: str) -> Iterator[tuple[str, Variant]]:
    """Runner and variant; cheaper shortcuts on the best backend only."""
    for variant in networks.variants(network):
        chosen = list(backends(network))
        for backend in chosen if variant.shortcut == "conv" else chosen[:1]:
            yield "-".join(filter(None, backend)), variant


def rival_entries(network: str) -> Iterator[tuple[str, Variant]]:
    """Rival and the variant whose float counterpart it runs: the published shortcut."""
    for variant in networks.variants(network):
        if variant.shortcut == "conv" and not variant.eight_bit:
            yield from ((rival, variant) for rival in RIVALS)


def own(name: str, variant: Variant) -> Run:
    """A packed runner."""
    backend, _, isa = name.partition("-")
    return engine.create(networks.packed(variant), backend=backend, isa=isa or None).run


@cache
def exported(variant: Variant, *, int8: bool) -> bytes:
    """The float counterpart as ONNX, in int8 as QDQ: what ONNX Runtime and OpenVINO both run."""
    batch = networks.images(networks.config(variant).image_size, networks.CALIBRATION_IMAGES)
    return onnx_export.export(networks.build(variant, binary=False), batch, int8=int8)


@cache
def expected(variant: Variant, *, float_network: bool) -> np.ndarray:
    """The right logits: of the float counterpart by PyTorch, or of the program by NumPy."""
    image = networks.images(networks.config(variant).image_size)
    if float_network:
        return torch_float.runner(networks.build(variant, binary=False))(image)
    return ReferenceRunner(networks.packed(variant)).run(image)


def checked(name: str, variant: Variant) -> Run:
    """The contestant of that name, its answer compared."""
    if name not in RIVALS:
        run = own(name, variant)
        answer = run(networks.images(networks.config(variant).image_size))
        np.testing.assert_array_equal(answer, expected(variant, float_network=False))
        return run
    network = networks.build(variant, binary=False)
    run = rival(name, network, lambda int8: exported(variant, int8=int8))
    answer = run(networks.images(networks.config(variant).image_size))
    within_tolerance(name, answer, expected(variant, float_network=True))
    return run


@cache
def raced(network: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of every runner of a network on every variant."""
    entries = []
    for name, variant in (*own_entries(network), *rival_entries(network)):
        image = networks.images(networks.config(variant).image_size)
        run = checked(name, variant)
        entries.append(Contestant(f"{name}/{variant}", lambda r=run, x=image: r(x)))  # type: ignore[misc]
    return race(entries, rounds)


@pytest.mark.parametrize(
    ("runner", "variant"),
    [entry for n in NETWORKS for entry in (*own_entries(n), *rival_entries(n))],
    ids=str,
)
def bench_network(benchmark: BenchmarkFixture, runner: str, variant: Variant, quick: bool) -> None:
    seconds = raced(variant.network, QUICK_ROUNDS if quick else ROUNDS)
    contest.report(
        benchmark,
        seconds[f"{runner}/{variant}"],
        f"network/{variant.network}",
        kind="network",
        runner=runner,
        own=runner not in RIVALS,
        **variant.facts,
    )
