"""The 8-bit convolution of every instruction set against NumPy integers, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bnas_deploy.engine.native import backend as native
from bnas_deploy.engine.native.backend import NativeRunner
from bnas_deploy.engine.reference.arithmetic import fma
from bnas_deploy.format import PackedModel, Preprocessing, Program, Value
from bnas_deploy.format.steps import GlobalAvgPool, QuantizedConv2d

ABLE = [name for name, missing in native.isas().items() if not missing]
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 3e38, -3e38], np.float32)

Window = tuple[Any, Any, Any, Any]  # kernel, stride, padding (top, left, bottom, right), dilation


@dataclass
class Case:
    """One convolution."""

    weight: np.ndarray
    offset: np.ndarray
    scale: np.ndarray
    input_scale: np.ndarray
    input_zero: np.ndarray
    window: Window
    relu: bool


def random_case(rng: np.random.Generator, channels: int, outputs: int, window: Window) -> Case:
    def floats(count: int, low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, count).astype(np.float32)

    return Case(
        weight=rng.integers(-127, 128, (outputs, channels, *window[0])).astype(np.int8),
        offset=rng.integers(-9999, 9999, outputs).astype(np.int32),
        scale=floats(outputs, -1, 1),
        input_scale=floats(channels, 0, 64),
        input_zero=floats(channels, -30, 150),
        window=window,
        relu=bool(rng.integers(2)),
    )


def quantized(case: Case, x: np.ndarray) -> np.ndarray:
    t = fma(x, case.input_scale[:, None, None], case.input_zero[:, None, None])
    with np.errstate(invalid="ignore"):
        t = np.where(t > 0, t, np.float32(0))
        t = np.where(t < 127, t, np.float32(127))
    return np.rint(t).astype(np.int64)


def expected(case: Case, x: np.ndarray) -> np.ndarray:
    (kh, kw), (sy, sx), (top, left, bottom, right), (dy, dx) = case.window
    q = quantized(case, np.pad(x, ((0, 0), (top, bottom), (left, right))))
    h = (q.shape[1] - dy * (kh - 1) - 1) // sy + 1
    w = (q.shape[2] - dx * (kw - 1) - 1) // sx + 1
    sums = np.broadcast_to(case.offset[:, None, None], (case.offset.size, h, w)).astype(np.int64)
    for ky in range(kh):
        for kx in range(kw):
            tap = q[:, ky * dy :, kx * dx :][:, : h * sy : sy, : w * sx : sx]
            sums = sums + np.einsum("oc,chw->ohw", case.weight[:, :, ky, kx].astype(np.int64), tap)
    assert np.abs(sums).max() < 2**31
    y = sums.astype(np.int32).astype(np.float32) * case.scale[:, None, None]
    return np.where(y > 0, y, np.float32(0)) if case.relu else y


def packed(case: Case, x: np.ndarray, shape: tuple[int, ...]) -> PackedModel:
    """The convolution, and the mean of each of its outputs as the logits."""
    _, stride, padding, dilation = case.window
    channels, outputs = x.shape[0], shape[0]
    tensors = ("weight", "offset", "scale", "input_scale", "input_zero")
    activation = "relu" if case.relu else "none"
    conv = QuantizedConv2d("x", "y", *tensors, stride, padding, dilation, activation)
    values = {"x": x.shape, "y": shape, "means": (outputs, 1, 1)}
    return PackedModel(
        Program(
            {name: Value("f32", extents) for name, extents in values.items()},
            (conv, GlobalAvgPool("y", "means")), "x", "means",
        ),
        {name: getattr(case, name) for name in tensors},
        Preprocessing(max(x.shape[1:]), x.shape[1:], (0.0,) * channels, (1.0,) * channels),
        tuple(map(str, range(outputs))),
    )  # fmt: skip


def computed(isa: str, case: Case, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    model = packed(case, x, shape)
    trace = NativeRunner(model, isa=isa).trace(x[None])
    for threads in (2, 5):  # that share the image
        got = NativeRunner(model, isa=isa, threads=threads).run(x[None])
        assert got.tobytes() == trace["means"].tobytes(), (isa, threads)
    return trace["y"].reshape(shape)


def random_image(rng: np.random.Generator, *shape: int) -> np.ndarray:
    x = rng.normal(0, 1, shape).astype(np.float32)
    special = rng.random(shape) < 0.1
    x[special] = rng.choice(SPECIAL, int(special.sum()))
    return x


def assert_exact(case: Case, x: np.ndarray) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        want = expected(case, x)
    for isa in ABLE:
        got = computed(isa, case, x, want.shape)
        assert np.array_equal(got.view(np.uint32), want.view(np.uint32)), isa


def square(kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Window:
    return (kernel, kernel), (stride, stride), (padding,) * 4, (dilation, dilation)


WINDOWS = {
    "1x1": square(1),
    "1x1 stride 2": square(1, 2),
    "2x2 stride 2": square(2, 2),
    "2x2 stride 2 pad 1": square(2, 2, 1),
    "3x3": square(3, 1, 1),
    "3x3 no padding": square(3),
    "3x3 stride 2": square(3, 2, 1),
    "3x3 dilation 2": square(3, 1, 2, 2),
    "3x3 dilation far outside": square(3, 1, 60, 60),
    "7x7 stride 2": square(7, 2, 3),
    "1x3 stride 3, 1": ((1, 3), (3, 1), (0, 1, 0, 1), (1, 1)),
    "3x2 uneven": ((3, 2), (1, 2), (2, 0, 1, 1), (2, 1)),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name: str) -> None:
    rng = np.random.default_rng(len(name))
    for channels, height, width in [(1, 7, 9), (3, 8, 8), (5, 13, 6), (8, 16, 32), (70, 9, 11)]:
        case = random_case(rng, channels, int(rng.integers(1, 30)), WINDOWS[name])
        assert_exact(case, random_image(rng, channels, height, width))


@pytest.mark.parametrize("width", range(1, 71))
def test_widths(width: int) -> None:
    rng = np.random.default_rng(width)
    for height, window in [(1, square(1)), (3, square(3, 1, 1)), (4, square(2, 2, 1))]:
        channels = int(rng.integers(1, 10))
        case = random_case(rng, channels, int(rng.integers(1, 14)), window)
        assert_exact(case, random_image(rng, channels, height, width))


@pytest.mark.parametrize("outputs", [*range(1, 28), 48, 49])
def test_outputs(outputs: int) -> None:
    rng = np.random.default_rng(outputs)
    for pixels in (1, 16, 17, 40):
        case = random_case(rng, 6, outputs, square(1))
        assert_exact(case, random_image(rng, 6, 1, pixels))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 576, 2052, 4500])
def test_channels(channels: int) -> None:
    """Beyond 2,048 channels, sums are set aside between two chunks of the channels."""
    rng = np.random.default_rng(channels)
    case = random_case(rng, channels, 10, square(1))
    assert_exact(case, random_image(rng, channels, 1, 1))
    assert_exact(case, random_image(rng, channels, 3, 7))


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("name", WINDOWS)
def test_free_bytes_of_quads(name: str, channels: int) -> None:
    """Pictures have three channels, whose quads are filled with other taps where there are four."""
    rng = np.random.default_rng(11)
    case = random_case(rng, channels=channels, outputs=9, window=WINDOWS[name])
    assert_exact(case, random_image(rng, channels, 12, 18))


def test_ties_and_the_ends_of_the_range() -> None:
    x = np.arange(-4, 300, dtype=np.float32).reshape(1, 1, -1) / 2
    case = random_case(np.random.default_rng(0), 1, 2, square(1))
    case.input_scale[:], case.input_zero[:] = 1, 0
    case.weight[:], case.offset[:], case.scale[:], case.relu = 1, 0, 1, False
    assert np.array_equal(computed(ABLE[0], case, x, (2, 1, 304))[0, 0, :8], [0] * 5 + [0, 1, 2])
    assert_exact(case, x)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_greatest_trained_models_and_sums(sign: int) -> None:
    """Pairs of greatest products fill 16 bits; the sums come to 2^31 - 1."""
    channels = (2**31 - 1) // (127 * 127 * 3)
    case = random_case(np.random.default_rng(0), channels, 3, ((3, 1), *square(1)[1:]))
    case.weight[:] = 127 * sign
    case.offset[:] = sign * (2**31 - 1 - 127 * 127 * 3 * channels)
    case.input_scale[:], case.input_zero[:] = 1, 0
    assert_exact(case, np.full((channels, 3, 9), 200, np.float32))


def test_scales_and_zeros_at_the_ends() -> None:
    rng = np.random.default_rng(0)
    case = random_case(rng, 9, 5, square(3, 1, 1))
    case.input_scale[:] = [0, 1e-45, 3e38, 0, 1, 1, 1, 1, 1]
    case.input_zero[:] = [0, 0.5, -3e38, 3e38, -0.0, 126.5, 1.5, 2.5, 1e-45]
    case.scale[:] = [0, -0.0, 3e38, 1e-45, -1]
    assert_exact(case, random_image(rng, 9, 6, 7))
