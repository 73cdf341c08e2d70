"""Whole networks, one image, one thread: the packed engine against its float counterpart.

The answer is checked before the clock starts: the packed engine against the NumPy reference (bit
for bit), a rival against PyTorch float32 (within its number format). Not single layers.
"""

from __future__ import annotations

from functools import cache

import networks
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rivals import onnx_runtime, torch_float

from bnas_deploy import engine
from bnas_deploy.converters import convert_network
from bnas_deploy.engine.reference import ReferenceRunner
from bnas_deploy.format import PackedModel

NETWORKS = ("Mini", "A")
RIVALS = ("pytorch-float32", "onnxruntime-float32", "onnxruntime-int8")
TOLERANCE = {"pytorch-float32": 0.0, "onnxruntime-float32": 1e-4, "onnxruntime-int8": 0.1}
WARMUP_ROUNDS = 5


@cache
def packed(name: str, *, zeroise: bool) -> PackedModel:
    model, _ = convert_network(networks.build(name, zeroise=zeroise))
    return model


def backends() -> list[tuple[str, str | None]]:
    """Each backend that this machine runs, native once for each supported instruction set."""
    chosen: list[tuple[str, str | None]] = []
    if engine.available()["native"] is None:
        from bnas_deploy.engine import native

        chosen += [("native", isa) for isa, missing in native.isas().items() if not missing]
    if engine.available()["numba"] is None:
        chosen.append(("numba", None))
    return chosen


@pytest.mark.parametrize("zeroise", [True, False], ids=["zeroise", "no-zeroise"])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("backend", backends(), ids=lambda b: "-".join(filter(None, b)))
def bench_packed(
    benchmark: BenchmarkFixture, backend: tuple[str, str | None], name: str, zeroise: bool
) -> None:
    model = packed(name, zeroise=zeroise)
    runner = engine.create(model, backend=backend[0], isa=backend[1], threads=1)
    image = networks.images(32)
    np.testing.assert_array_equal(runner.run(image), ReferenceRunner(model).run(image))
    benchmark.group = f"network/{name}/{'zeroise' if zeroise else 'no-zeroise'}"
    benchmark.extra_info.update(
        runner="-".join(filter(None, backend)), network=name, zeroise=zeroise
    )
    benchmark.pedantic(runner.run, (image,), rounds=50, warmup_rounds=WARMUP_ROUNDS)


@pytest.mark.parametrize("zeroise", [True, False], ids=["zeroise", "no-zeroise"])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rival", RIVALS)
def bench_rival(benchmark: BenchmarkFixture, rival: str, name: str, zeroise: bool) -> None:
    network = networks.build(name, zeroise=zeroise, binary=False)
    image, calibration = networks.images(32), networks.images(32, 32)
    expected = torch_float.runner(network)(image)
    if rival == "pytorch-float32":
        run = torch_float.runner(network)
    else:
        run = onnx_runtime.runner(
            onnx_runtime.export(network, calibration, int8=rival.endswith("int8"))
        )
    error = np.abs(run(image) - expected).max() / np.abs(expected).max()
    assert error <= TOLERANCE[rival], f"{rival} is {error:.1%} off PyTorch"
    benchmark.group = f"network/{name}/{'zeroise' if zeroise else 'no-zeroise'}"
    benchmark.extra_info.update(runner=rival, network=name, zeroise=zeroise)
    benchmark.pedantic(run, (image,), rounds=30, warmup_rounds=WARMUP_ROUNDS)
