"""Tests of the binary convolution, the unit around it, and dropped channels."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from bnas_deploy.nn.layers import BinaryConv2d, ConvUnit
from bnas_deploy.nn.quantize import binarize_weight
from bnas_deploy.nn.shortcuts import ConvShortcut


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def filled(unit):
    """Give BatchNorms values that are not their first ones."""
    for module in unit.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and module.affine:
            module.weight.data.uniform_(-1, 1)
            module.bias.data.normal_()
    return unit


def test_training_constrains_the_latent_weight_in_place_and_evaluation_does_not():
    conv = BinaryConv2d(4, 3, 3, padding=1)
    x = torch.randn(2, 4, 5, 5).sign()
    before = conv.weight.detach().clone()
    conv.eval()(x)
    assert torch.equal(conv.weight, before)
    conv.train()(x)
    assert torch.allclose(conv.weight, before - before.mean(dim=1, keepdim=True))


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_evaluation_is_what_the_next_training_step_begins_with(scale):
    conv = BinaryConv2d(5, 3, 3)
    for _ in range(3):
        torch.nn.init.normal_(conv.weight, std=scale)  # at 3.0 the clamp acts
        stored = conv.weight.detach().clone()
        evaluated = conv.eval().effective_weight()
        assert torch.equal(conv.effective_weight(), evaluated)
        assert torch.equal(conv.weight, stored)
        assert torch.equal(conv.train().effective_weight(), evaluated)


def test_the_result_is_a_convolution_with_sign_times_beta():
    conv = BinaryConv2d(4, 3, 3, stride=2, padding=2, dilation=2).eval()
    x = torch.randn(2, 4, 9, 9).sign()
    sign, beta = binarize_weight(conv.weight)
    want = functional.conv2d(x, sign, stride=2, padding=2, dilation=2) * beta[:, None, None]
    assert torch.allclose(conv(x), want, atol=1e-5)


def test_a_padded_position_adds_nothing():
    conv = BinaryConv2d(2, 1, 3, padding=1).eval()
    corner = conv(torch.ones(1, 2, 3, 3))[0, 0, 0, 0]
    sign, beta = binarize_weight(conv.weight)
    assert corner.item() == pytest.approx((sign[0, :, 1:, 1:].sum() * beta[0]).item(), abs=1e-6)


def test_a_float_unit_binarizes_nothing():
    unit = ConvUnit(3, 4, 1, binary=False).eval()
    x = torch.randn(2, 3, 4, 4)
    want = functional.conv2d(unit.bn(x), unit.conv.weight).relu()
    assert torch.allclose(unit(x), want, atol=1e-6)
    assert not isinstance(unit.conv, BinaryConv2d)


def _units(binary):
    return [
        ConvUnit(6, 4, 1, binary=binary),
        ConvUnit(6, 4, 3, stride=2, padding=1, binary=binary, affine=False),
        ConvUnit(6, 4, 3, padding=2, dilation=2, binary=binary),
        ConvShortcut(6, 8),
    ]


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("live", [1, 4, 5])
@pytest.mark.parametrize("binary", [True, False])
def test_channels_left_out_count_as_zero(index, live, binary):
    short, full = filled(_units(binary)[index]).double(), _units(binary)[index].double()
    full.load_state_dict(short.state_dict())
    x = torch.randn(3, live, 8, 8, dtype=torch.float64)
    padded = functional.pad(x, (0, 0, 0, 0, 0, 6 - live))
    for _ in range(2):
        assert torch.allclose(short(x), full(padded), atol=1e-12)
    for name, value in full.state_dict().items():
        assert torch.allclose(short.state_dict()[name].double(), value.double(), atol=1e-12), name
    short.eval(), full.eval()
    assert torch.allclose(short(x), full(padded), atol=1e-12)


@pytest.mark.parametrize("index", range(4))
def test_channels_left_out_have_the_same_gradients(index):
    # In float, where no rounding stands on a threshold.
    short, full = filled(_units(False)[index]).double(), _units(False)[index].double()
    full.load_state_dict(short.state_dict())
    x = torch.randn(3, 4, 8, 8, dtype=torch.float64)
    short(x).square().sum().backward()
    full(functional.pad(x, (0, 0, 0, 0, 0, 2))).square().sum().backward()
    for (name, a), b in zip(short.named_parameters(), full.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-9), name
