"""Single layers, one image, one thread: packing, binary convolution, OpenVINO's operator.

This engine is measured from packed input to finished output (bits or floats), packing separately.
OpenVINO's sign and BinaryConvolution are one graph, timed less the cost of an empty call. Every
answer is compared with PyTorch's before the clock starts; the machine's popcount limit is measured
between the rounds of the same layer.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Any

import contest
import layers
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bnas_deploy import _kernels
from bnas_deploy.engine.native.backend import NativeRunner, best_isa
from bnas_deploy.rivals.turns import Contestant, race

pytestmark = contest.replayed

ROUNDS, QUICK_ROUNDS = 8, 2
BLOCK_MACS = 2e8  # about 0.2 to 1 ms of binary work: one call of a repeater
PEAK_MILLISECONDS = 5.0
PARTS = ("pack", *layers.OUTPUTS)
RIVALS = ("openvino-binary",) if importlib.util.find_spec("openvino") else ()
CALL = "openvino-call"


def own(shape: dict[str, Any], x: np.ndarray, dot: np.ndarray) -> list[Contestant]:
    """Packing and both convolutions of the native backend."""
    repeats = max(1, int(BLOCK_MACS / layers.macs(shape)))
    expected = layers.outputs(shape, dot)
    entries = []
    for kind in layers.OUTPUTS:
        runner = NativeRunner(layers.packed(shape, kind))
        np.testing.assert_array_equal(runner.trace(x)[kind], expected[kind])
        steps = {kind: layers.CONV_STEP} | ({"pack": layers.PACK_STEP} if not entries else {})
        for part, step in steps.items():
            repeat = runner.repeater(x, step)
            entries.append(Contestant(part, lambda r=repeat: r(repeats), repeats))  # type: ignore[misc]
    return entries


def openvino(shape: dict[str, Any], x: np.ndarray, dot: np.ndarray) -> list[Contestant]:
    """OpenVINO's operator, checked, and a call of a graph that does nothing."""
    from rivals import openvino_binary

    compiled = openvino_binary.convolution(shape, layers.signs(shape))
    request = compiled.create_infer_request()
    request.infer([openvino_binary.image(x)])
    answer = request.get_output_tensor(0).data.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(answer, dot)
    empty = openvino_binary.call_only().create_infer_request()
    return [Contestant(RIVALS[0], request.infer), Contestant(CALL, empty.infer)]


@cache
def raced(index: int, rounds: int) -> tuple[dict[str, list[float]], float]:
    """Seconds of each part and rival of a layer, and the machine's limit in MACs a second."""
    shape = layers.SHAPES[index]
    x = layers.image(shape)
    dot = layers.dot_products(shape, x)
    entries = own(shape, x, dot) + (openvino(shape, x, dot) if RIVALS else [])
    peaks: list[float] = []
    limit = Contestant("limit", lambda: peaks.append(peak()))
    seconds = race([*entries, limit], rounds)
    call = float(np.median(seconds[CALL])) if RIVALS else 0.0
    for rival in RIVALS:
        seconds[rival] = [time - call for time in seconds[rival]]
    return seconds, float(np.median(peaks))


def peak() -> float:
    return _kernels.popcount_peak(best_isa(), PEAK_MILLISECONDS)


def _label(index: int) -> str:
    return layers.label(layers.SHAPES[index])


@pytest.mark.parametrize("part", PARTS + RIVALS)
@pytest.mark.parametrize("index", range(len(layers.SHAPES)), ids=_label)
def bench_layer(benchmark: BenchmarkFixture, index: int, part: str, quick: bool) -> None:
    shape = layers.SHAPES[index]
    if quick and not {"Mini", "A"} & set(shape["networks"]):
        pytest.skip("--quick measures the layers of BNAS-Mini and A only")
    seconds, limit = raced(index, QUICK_ROUNDS if quick else ROUNDS)
    contest.report(
        benchmark,
        seconds[part],
        f"layer/{layers.label(shape)}",
        kind="layer",
        layer=layers.label(shape),
        part=part,
        shape=shape,
        isa=best_isa(),
        macs=layers.macs(shape),
        moved_bytes=layers.moved_bytes(shape),
        limit=limit,
    )
