"""The reference's steps of 1.3 against PyTorch: groups, activations, pools of bits, products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.program_builder import AFFINE_KINDS, Builder
from support.random_programs import random_images, step_programs

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.reference.arithmetic import sigmoid
from bnas_deploy.engine.reference.backend import ReferenceRunner
from bnas_deploy.format.program import PackedModel

MODELS = list(step_programs(4))


def of(prefix: str) -> list[tuple[str, PackedModel]]:
    return [(name, m) for name, m in MODELS if name.startswith(prefix)]


def traced(m: PackedModel, op: str) -> tuple[dict[str, np.ndarray], Any]:
    values = ReferenceRunner(m).trace(random_images(np.random.default_rng(0), m, 2))
    return values, next(s for s in m.program.steps if op == s.OP)


def padded(x: np.ndarray, step: Any, value: float = 0.0) -> torch.Tensor:
    top, left, bottom, right = step.padding
    return F.pad(torch.from_numpy(x.astype(np.float64)), (left, right, top, bottom), value=value)


@pytest.mark.parametrize("named", of("binary_grouped_conv2d"), ids=lambda named: named[0])
def test_dot_products_in_groups_are_pytorchs(named: tuple[str, PackedModel]) -> None:
    values, step = traced(named[1], "binary_grouped_conv2d")
    m, bits = named[1], values[step.input]
    (kh, kw), c = step.kernel, bits.shape[1] // step.groups
    rows = unpack_rows(m.tensors[step.weight], kh * kw * c).reshape(-1, kh, kw, c)
    weight = torch.from_numpy(np.where(rows, -1.0, 1.0).transpose(0, 3, 1, 2))
    window = (step.stride, 0, step.dilation, step.groups)
    dot = F.conv2d(padded(np.where(bits, -1, 1), step), weight, None, *window)
    if step.fold is not None:
        fold = torch.from_numpy(m.tensors[step.fold].astype(np.float64))[:, None]
        inside = padded(np.ones((1, 1, *bits.shape[2:])), step)
        dot = dot + F.conv2d(inside, fold, None, step.stride, 0, step.dilation)
    for stage in step.stages:
        if stage.KIND == "threshold":
            flip = unpack_rows(m.tensors[stage.flip], len(weight))[:, None, None]
            positive = (dot.numpy() >= m.tensors[stage.threshold][:, None, None]) != flip
            assert np.array_equal(values[stage.output], ~positive)
        elif stage.addend is None:
            v = dot.numpy().astype(np.float32) * m.tensors[stage.scale][:, None, None]
            v = np.maximum(v, 0) if stage.activation == "relu" else v
            assert np.array_equal(values[stage.output], v)


@pytest.mark.parametrize("named", of("grouped_conv2d"), ids=lambda named: named[0])
def test_float_convolutions_in_groups_are_pytorchs(named: tuple[str, PackedModel]) -> None:
    values, step = traced(named[1], "grouped_conv2d")
    weight, bias = (
        torch.from_numpy(named[1].tensors[t]).double() for t in (step.weight, step.bias)
    )
    window = (step.stride, 0, step.dilation, step.groups)
    want = F.conv2d(padded(values[step.input], step), weight, bias, *window)
    want = torch.relu(want) if step.activation == "relu" else want
    assert np.abs(values[step.output] - want.numpy()).max() < 1e-6 * want.abs().max()


@pytest.mark.parametrize("kind", AFFINE_KINDS)
def test_affine_stages(kind: str) -> None:
    b = Builder(np.random.default_rng(0), (5, 4, 6))
    b.binary_conv2d(b.binarize("image"), 7, stages=("scale", kind))
    m = b.finish()
    values = ReferenceRunner(m).trace(random_images(np.random.default_rng(0), m, 2))
    step = next(s for s in m.program.steps if len(getattr(s, "stages", ())) == 2)
    plain, affine = step.stages
    scale = m.tensors[plain.scale][:, None, None]
    dot = values[plain.output] / np.where(scale == 0, 1, scale)
    v = np.rint(dot) * m.tensors[affine.scale][:, None, None]
    v = v + m.tensors[affine.shift][:, None, None]
    v = np.maximum(v, 0) if "relu" in kind else v
    got, known = values[affine.output], scale[:, 0, 0] != 0
    if affine.addend is not None:
        rest = values[affine.addend]
        v = rest[:, affine.at : affine.at + 7] + v
        other = np.ones(rest.shape[1], bool)
        other[affine.at : affine.at + 7] = False
        assert np.array_equal(got[:, other], rest[:, other])
        got = got[:, affine.at : affine.at + 7]
    assert np.array_equal(got[:, known], v[:, known])


@pytest.mark.parametrize("named", of("binary_max_pool2d"), ids=lambda named: named[0])
def test_pools_of_bits_are_pools_of_signs(named: tuple[str, PackedModel]) -> None:
    values, step = traced(named[1], "binary_max_pool2d")
    bits = values[step.input]
    least = np.zeros(bits.shape[1], bool)
    if step.minimum is not None:
        least = unpack_rows(named[1].tensors[step.minimum], bits.shape[1])
    turn = np.where(least, -1, 1)[:, None, None]
    signs = padded(np.where(bits, -1, 1) * turn, step, -np.inf)
    want = F.max_pool2d(signs, step.kernel, step.stride).numpy() * turn
    assert np.array_equal(np.where(values[step.output], -1, 1), want)


def test_activations() -> None:
    b = Builder(np.random.default_rng(0), (9, 5, 6))
    prelu, clip = b.prelu("image"), b.clip("image")
    m = b.finish()
    images = random_images(np.random.default_rng(0), m, 2)
    images[0, :, 0, 0] = np.nan
    values = ReferenceRunner(m).trace(images)
    slope, (low, high) = m.tensors["t0"], (m.tensors["t1"], m.tensors["t2"])
    x = np.nan_to_num(images)
    want = F.prelu(torch.from_numpy(x), torch.from_numpy(slope)).numpy()
    assert np.array_equal(values[prelu], want)
    want = np.minimum(np.maximum(images, low[:, None, None]), high[:, None, None])
    want[0, :, 0, 0] = low
    assert np.array_equal(values[clip], want)


def test_hard_sigmoid_is_pytorchs() -> None:
    b = Builder(np.random.default_rng(0), (3, 40, 50))
    out = b.hard_sigmoid("image")
    m = b.finish()
    m.tensors["t0"][:] = 1 / 6, 0.5
    images = 6 * random_images(np.random.default_rng(0), m, 2)
    images[0, :, 0, :4] = np.nan, np.inf, -np.inf, -0.0
    got = ReferenceRunner(m).trace(images)[out]
    want = F.hardsigmoid(torch.from_numpy(images).double()).numpy()
    assert np.nanmax(np.abs(got - want)) < 1e-7
    assert np.array_equal(got[0, 0, 0, :4], [0, 1, 0, 0.5])
    assert not np.signbit(got).any()
    assert {0.0, 1.0} < set(got.ravel().tolist())


def test_hard_sigmoid_rounds_once() -> None:
    b = Builder(np.random.default_rng(0), (1, 1, 1))
    out = b.hard_sigmoid("image")
    m = b.finish()
    m.tensors["t0"][:] = 1 + 2**-12, -1
    x = np.full((1, 1, 1, 1), 1 + 2**-12, np.float32)  # whose product needs 25 bits
    assert ReferenceRunner(m).trace(x)[out].item() == 2**-11 + 2**-24


def test_sigmoid_is_within_what_the_specification_says() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([
        np.linspace(-20, 20, 400_001), rng.standard_normal(200_000), [0.0, -0.0, 1e-45, 88, -1e38]
    ]).astype(np.float32)  # fmt: skip
    y = sigmoid(x)
    with np.errstate(over="ignore"):
        exact = 1 / (1 + np.exp(-x.astype(np.float64)))
    assert np.abs(y - exact).max() < 1.7e-7
    assert y.min() >= 0
    assert y.max() <= 1
    assert np.array_equal(
        sigmoid(np.array([np.inf, -np.inf, np.nan, 0], np.float32))[[0, 3]],
        np.array([1, 0.5], np.float32),
    )
    assert sigmoid(np.array([np.nan], np.float32)) == sigmoid(np.array([-18], np.float32))


@pytest.mark.parametrize("shape", [(7, 3, 4), (1, 3, 4), (7, 1, 1), (1, 1, 1)])
def test_trained_models_repeat_what_the_factor_lacks(shape: tuple[int, int, int]) -> None:
    b = Builder(np.random.default_rng(0), (7, 3, 4))
    factor = b.constant(*shape)
    product = b.multiply("image", factor)
    m = b.finish()
    images = random_images(np.random.default_rng(0), m, 3)
    values = ReferenceRunner(m).trace(images)
    assert values[factor].shape == (3, *shape)
    assert np.array_equal(values[product], images * m.tensors["t0"])
