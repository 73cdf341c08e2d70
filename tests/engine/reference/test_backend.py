"""Tests of the reference backend against PyTorch and against plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.program_builder import Builder
from support.random_programs import conv_program, random_images, random_program, step_programs

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.reference.arithmetic import fma
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format import PackedModel
from bnas_deploy.format.steps import AvgPool2d, BinaryConv2d, MaxPool2d

CHANNELS = [1, 2, 7, 8, 9, 31, 33, 63, 64, 65, 127, 129, 300]
SIZES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 33]
GEOMETRIES = list(itertools.product([1, 3, 5], [1, 2], [1, 2], range(5)))


def geometry_model(kernel: int, stride: int, dilation: int, padding: int) -> PackedModel:
    """A binary convolution of that geometry; sizes and channels are drawn."""
    rng = np.random.default_rng([kernel, stride, dilation, padding])
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    sizes = [size for size in SIZES if size >= least]
    h, w = sizes[0], int(rng.choice(sizes))
    return conv_program(
        rng, channels=int(rng.choice(CHANNELS)), out_channels=int(rng.choice([1, 5, 16, 37])),
        height=h, width=w, kernel=kernel, stride=stride, dilation=dilation, padding=padding,
        stages=("scale", "threshold", "scale_relu_add"), fold=bool(padding % 2),
    )  # fmt: skip


def torch_dot(s: BinaryConv2d, m: PackedModel, bits: np.ndarray) -> torch.Tensor:
    """Dot products by a float convolution, exact as they are small integers."""
    c, (kh, kw) = bits.shape[1], s.kernel
    weight = unpack_rows(m.tensors[s.weight], kh * kw * c).reshape(-1, kh, kw, c)
    w = torch.from_numpy(np.where(weight, -1, 1).astype(np.float32)).permute(0, 3, 1, 2)
    x = torch.from_numpy(np.where(bits, -1, 1).astype(np.float32))
    top, left, bottom, right = s.padding
    border = (left, right, top, bottom)
    dot = F.conv2d(F.pad(x, border), w, stride=s.stride, dilation=s.dilation)
    if s.fold is not None:
        fold = torch.from_numpy(m.tensors[s.fold].astype(np.float32))[:, None]
        ones = F.pad(torch.ones_like(x[:, :1]), border)
        dot += F.conv2d(ones, fold, stride=s.stride, dilation=s.dilation)
    return dot


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_binary_conv_is_a_float_conv_of_signs(geometry: tuple[int, int, int, int]) -> None:
    m = geometry_model(*geometry)
    rng = np.random.default_rng(0)
    values = ReferenceRunner(m).trace(random_images(rng, m, 2))
    s = next(s for s in m.program.steps if isinstance(s, BinaryConv2d) and len(s.stages) == 3)
    dot = torch_dot(s, m, values[s.input]).numpy()
    scale, threshold, added = s.stages

    assert np.array_equal(values[scale.output], dot * m.tensors[scale.scale][:, None, None])
    flip = unpack_rows(m.tensors[threshold.flip], dot.shape[1])[:, None, None]
    positive = (dot >= m.tensors[threshold.threshold][:, None, None]) != flip
    assert np.array_equal(values[threshold.output], ~positive)
    expected = values[added.addend].copy()
    part = slice(added.at, added.at + dot.shape[1])
    expected[:, part] += np.maximum(dot * m.tensors[added.scale][:, None, None], 0)
    assert np.array_equal(values[added.output], expected)


@pytest.mark.parametrize("geometry", [g for g in GEOMETRIES if g[0] != 5], ids=str)
def test_conv2d_is_near_torch(geometry: tuple[int, int, int, int]) -> None:
    kernel, stride, dilation, padding = geometry
    b = Builder(np.random.default_rng(1), (3, 6, 9))
    y = b.conv2d(
        "image", 4, kernel=kernel, stride=stride, dilation=dilation, padding=padding,
        activation="relu",
    )  # fmt: skip
    m = b.finish()
    s = m.program.steps[0]
    x = random_images(b.rng, m, 2)
    weight, bias = (torch.from_numpy(m.tensors[name]) for name in (s.weight, s.bias))
    expected = F.conv2d(
        torch.from_numpy(x), weight, bias, stride=stride, dilation=dilation, padding=padding
    )
    # The order of additions differs; 27 products of size about 1 leave an error near 1e-6.
    np.testing.assert_allclose(ReferenceRunner(m).trace(x)[y], F.relu(expected), atol=2e-5)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (2, 2, 0), (1, 2, 0)]
)
@pytest.mark.parametrize("size", [(2, 3), (8, 8), (9, 17)])
def test_pools(kernel: int, stride: int, padding: int, size: tuple[int, int]) -> None:
    b = Builder(np.random.default_rng(1), (5, *size))
    geometry = {"kernel": kernel, "stride": stride, "padding": padding}
    largest, mean = (b.pool(cls, "image", **geometry) for cls in (MaxPool2d, AvgPool2d))
    m = b.finish()
    x = random_images(b.rng, m, 2)
    values = ReferenceRunner(m).trace(x)
    t = torch.from_numpy(x)
    assert np.array_equal(values[largest], F.max_pool2d(t, kernel, stride, padding))
    expected = F.avg_pool2d(t, kernel, stride, padding, count_include_pad=False)
    np.testing.assert_allclose(values[mean], expected, atol=1e-6)  # order of at most 9 additions


def loop_mean(x: np.ndarray) -> np.float32:
    s = [np.float32(0)] * 16
    for i, v in enumerate(x.ravel()):
        s[i % 16] = s[i % 16] + v
    for half in (8, 4, 2, 1):
        s = [s[j] + s[j + half] for j in range(half)]
    return s[0] / np.float32(x.size)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (4, 4), (1, 17), (7, 7), (8, 8), (33, 31)])
def test_global_avg_pool_in_the_given_order(size: tuple[int, int]) -> None:
    b = Builder(np.random.default_rng(1), (3, *size))
    y = b.global_avg_pool("image")
    m = b.finish()
    x = random_images(b.rng, m, 1)
    got = ReferenceRunner(m).trace(x)[y]
    assert got[0, :, 0, 0].tolist() == [loop_mean(channel) for channel in x[0]]


def test_linear_and_conv2d_in_the_given_order() -> None:
    b = Builder(np.random.default_rng(1), (3, 2, 2))
    y, z = b.linear("image", 5), b.conv2d("image", 5, kernel=2, padding=0)
    b.global_avg_pool(b.concat(y, z))
    m = b.finish()
    # The same weights, flattened in (c, ky, kx) order, must give the same bits.
    m.tensors[m.program.steps[1].weight] = m.tensors[m.program.steps[0].weight].reshape(5, 3, 2, 2)
    m.tensors[m.program.steps[1].bias] = m.tensors[m.program.steps[0].bias]
    x = random_images(b.rng, m, 1)
    values = ReferenceRunner(m).trace(x)
    assert np.array_equal(values[y], values[z])
    weight = m.tensors[m.program.steps[0].weight]
    for o in range(5):
        acc = m.tensors[m.program.steps[0].bias][o]
        for k, v in enumerate(x.ravel()):
            acc = fma(weight[o, k], v, acc)
        assert values[y][0, o, 0, 0] == acc


def test_addend_slices_and_channels() -> None:
    b = Builder(np.random.default_rng(1), (3, 2, 2))
    wide = b.concat("image", "image")
    added = b.add_slice(wide, "image", 2)
    picked = b.select_channels(added, [5, -1, 0, 0])
    m = b.finish()
    x = random_images(b.rng, m, 2)
    values = ReferenceRunner(m).trace(x)
    expected = np.concatenate([x, x], axis=1)
    expected[:, 2:5] += x
    assert np.array_equal(values[added], expected)
    assert np.array_equal(values[picked][:, [0, 2, 3]], expected[:, [5, 0, 0]])
    assert not values[picked][:, 1].any()


@pytest.mark.parametrize("name_model", list(step_programs()), ids=lambda nm: nm[0])
def test_values_have_the_declared_shapes(name_model: tuple[str, PackedModel]) -> None:
    _, m = name_model
    rng = np.random.default_rng(0)
    for n in (0, 2):
        values = ReferenceRunner(m).trace(random_images(rng, m, n))
        assert set(values) == set(m.program.values)
        for name, value in m.program.values.items():
            assert values[name].shape == (n, *value.shape)
            assert values[name].dtype == (np.float32 if value.kind == "f32" else np.bool_)


def test_run_is_the_traced_output_and_profile_lists_every_step() -> None:
    m = random_program(np.random.default_rng(5))
    x = random_images(np.random.default_rng(0), m, 3)
    runner = ReferenceRunner(m)
    assert np.array_equal(runner.run(x), runner.trace(x)[m.program.output][:, :, 0, 0])
    profile = runner.profile(x, repeats=2)
    assert [(i, op) for i, op, _ in profile] == [(i, s.OP) for i, s in enumerate(m.program.steps)]
    assert all(seconds >= 0 for _, _, seconds in profile)


def test_a_large_program_takes_its_images_one_after_another(monkeypatch):
    model = random_program(np.random.default_rng(0))
    images = random_images(np.random.default_rng(0), model, 3)
    want = ReferenceRunner(model).run(images)
    monkeypatch.setattr("bnas_deploy.engine.reference.backend.ELEMENT_LIMIT", 16)
    assert np.array_equal(ReferenceRunner(model).run(images), want)
    assert ReferenceRunner(model).run(images[:0]).shape == (0, want.shape[1])
