"""Tests of the activation scale K of Eq. 3, against loops and in whole networks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from bnas_deploy.nn.activation_scale import activation_scale
from bnas_deploy.nn.config import CONFIGS
from bnas_deploy.nn.layers import ConvUnit
from bnas_deploy.nn.network import build_network
from bnas_deploy.nn.shortcuts import build_shortcut
from bnas_deploy.nn.skip_connect import FactorizedReduction


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def by_hand(x, kernel, stride, padding, dilation):
    """K of one image (C, H, W), pixel by pixel."""
    _, height, width = x.shape
    size = [(n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1 for n in (height, width)]
    k = torch.zeros(size)
    for oy, ox in torch.cartesian_prod(*map(torch.arange, size)).tolist():
        for ky, kx in torch.cartesian_prod(torch.arange(kernel), torch.arange(kernel)).tolist():
            y = oy * stride - padding + ky * dilation
            x_ = ox * stride - padding + kx * dilation
            if 0 <= y < height and 0 <= x_ < width:
                k[oy, ox] += x[:, y, x_].abs().mean() / kernel**2
    return k


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [(1, 1, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 2, 2), (5, 1, 4, 2), (2, 2, 0, 1)],
)
@pytest.mark.parametrize("live", [2, 5])
def test_it_is_the_box_filtered_mean_magnitude(kernel, stride, padding, dilation, live):
    x = torch.randn(2, 5, 6, 7)
    x[:, live:] = -1.5
    conv = nn.Conv2d(5, 3, kernel, stride, padding, dilation)
    absent = torch.full((3,), -1.5) if live < 5 else None
    got = activation_scale(conv, x[:, :live], absent)
    for image, k in zip(x, got, strict=True):
        assert torch.allclose(k[0], by_hand(image, kernel, stride, padding, dilation), atol=1e-6)


def units():
    return {
        "1x1": ConvUnit(6, 4, 1),
        "3x3": ConvUnit(6, 4, 3, padding=1),
        "depthwise": ConvUnit(6, 6, 3, padding=1, groups=6, relu=False),
        "shortcut": build_shortcut("binary", 6, 4),
    }


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", units())
def test_a_scaled_unit_is_the_plain_one_times_k(name, training):
    unit = units()[name].train(training)
    conv, bn = unit.conv, unit.bn
    nn.init.normal_(bn.bias)
    nn.init.normal_(bn.running_mean)
    x = torch.randn(3, 6, 8, 8)
    plain = unit(x)
    bn.reset_running_stats()
    plain = unit(x) if training else unit.eval()(x)
    unit.scaled = True
    bn.reset_running_stats()
    assert torch.allclose(unit(x), plain * activation_scale(conv, bn(x), None), atol=1e-5)


@pytest.mark.parametrize("name", ["1x1", "3x3", "shortcut"])
def test_channels_left_out_count_as_zero(name):
    unit = units()[name].eval().double()
    nn.init.normal_(unit.bn.bias)
    unit.scaled = True
    x = torch.randn(2, 4, 8, 8, dtype=torch.float64)
    padded = functional.pad(x, (0, 0, 0, 0, 0, 2))
    assert torch.allclose(unit(x), unit(padded), atol=1e-12)


@pytest.mark.parametrize("size", [(4, 6), (5, 3), (1, 1)])
def test_a_factorized_reduction_scales_each_half_by_its_own_pixels(size):
    unit = FactorizedReduction(4).eval()
    x = torch.randn(2, 4, *size)
    plain = unit(x)
    unit.scaled = True
    mean = functional.pad(unit.bn(x).abs().mean(dim=1, keepdim=True), (0, 1, 0, 1))
    h, w = size
    k = [mean[:, :, i : i + h : 2, i : i + w : 2].expand(-1, 2, -1, -1) for i in (0, 1)]
    assert torch.allclose(unit(x), plain * torch.cat(k, dim=1), atol=1e-6)


def test_every_binary_unit_of_a_network_is_scaled_and_no_other():
    config = replace(CONFIGS["Mini"], channels=4, activation_scale=True, shortcut="binary")
    for binary in (True, False):
        units = [m for m in build_network(config, binary=binary).modules() if hasattr(m, "scaled")]
        assert len(units) > 30
        assert [unit.scaled for unit in units] == [unit.binary for unit in units]
    assert {unit.binary for unit in units} == {False}


def test_gradients_flow_through_k():
    network = build_network(replace(CONFIGS["Mini"], channels=4, activation_scale=True))
    network(torch.randn(2, 3, 16, 16)).sum().backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert len(gradients) > 50
    assert all(g.isfinite().all() for g in gradients)
