"""Single layers, one image, one thread: packing, and binary convolutions against float ones.

A convolution is measured from packed input to both its outputs, bits and floats. The dot products
are compared with PyTorch's before the clock starts. Not whole networks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import layers
import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from rivals import onnx_runtime, torch_float

from bnas_deploy.engine.native import NativeRunner

ROUNDS, ITERATIONS = 20, 20
every_shape = pytest.mark.parametrize("shape", layers.SHAPES, ids=layers.label)


def image(shape: dict[str, Any]) -> np.ndarray:
    """Signs, float32 (1, C, H, W)."""
    rng = np.random.default_rng(layers.SEED)
    size = (1, shape["channels"], shape["height"], shape["width"])
    return rng.choice(np.array([-1, 1], np.float32), size)


def step(shape: dict[str, Any], index: int) -> tuple[Callable[[int], None], str]:
    """A function that repeats one step of the layer's program, checked, and the instruction set."""
    runner, x = NativeRunner(layers.packed(shape)), image(shape)
    with torch.inference_mode():
        expected = layers.float_convolution(shape)(torch.from_numpy(x)).numpy()
    np.testing.assert_array_equal(runner.trace(x)["dot"], expected)
    return runner.repeater(x, index), f"native-{runner.isa}"


def measure(benchmark: BenchmarkFixture, shape: dict[str, Any], index: int, group: str) -> None:
    repeat, runner = step(shape, index)
    benchmark.group = f"{group}/{layers.label(shape)}"
    benchmark.extra_info.update(runner=runner, layer=shape, kind=group)
    benchmark.pedantic(repeat, (1,), rounds=ROUNDS, iterations=ITERATIONS, warmup_rounds=3)


@every_shape
def bench_pack(benchmark: BenchmarkFixture, shape: dict[str, Any]) -> None:
    measure(benchmark, shape, layers.PACK_STEP, "pack")


@every_shape
def bench_convolution(benchmark: BenchmarkFixture, shape: dict[str, Any]) -> None:
    measure(benchmark, shape, layers.CONV_STEP, "convolution")


@every_shape
@pytest.mark.parametrize("rival", ["pytorch-float32", "onnxruntime-float32"])
def bench_float(benchmark: BenchmarkFixture, rival: str, shape: dict[str, Any]) -> None:
    conv, x = layers.float_convolution(shape), image(shape)
    run = torch_float.runner(conv)
    expected = run(x)
    if rival.startswith("onnx"):
        run = onnx_runtime.runner(onnx_runtime.export(conv, x))
    np.testing.assert_array_equal(run(x), expected)  # sums of signs are exact
    benchmark.group = f"convolution/{layers.label(shape)}"
    benchmark.extra_info.update(runner=rival, layer=shape, kind="convolution")
    benchmark.pedantic(run, (x,), rounds=ROUNDS, iterations=2, warmup_rounds=3)
