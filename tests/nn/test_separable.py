"""Tests of separable convolutions, and of what centring does to a depthwise weight."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from bnas_deploy.nn.config import CONFIGS
from bnas_deploy.nn.genotype import Genotype
from bnas_deploy.nn.layers import BinaryConv2d
from bnas_deploy.nn.network import build_network
from bnas_deploy.nn.quantize import binarize_weight, signs, weight_gradient
from bnas_deploy.nn.separable import SeparableConv

SEPARABLE = Genotype([("bin_sep_conv_3x3", 0)] * 8, [("bin_sep_conv_5x5", 1)] * 8)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def filled(module):
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1)
            nn.init.normal_(part.bias)
            nn.init.normal_(part.running_mean)
    return module


@pytest.mark.parametrize(
    ("size", "stride", "dilation"), [(3, 1, 1), (5, 1, 1), (3, 2, 1), (3, 1, 2), (5, 2, 2)]
)
def test_against_its_definition(size, stride, dilation):
    conv = filled(SeparableConv(6, size, stride=stride, dilation=dilation)).eval()
    depthwise, pointwise = conv
    x = torch.randn(2, 6, 9, 8)
    with torch.no_grad():
        weight = depthwise.conv.weight
        beta = weight.abs().mean(dim=(1, 2, 3))
        padding = dilation * (size - 1) // 2
        y = functional.conv2d(
            signs(depthwise.bn(x)), signs(weight), None, stride, padding, dilation, 6
        )
        y = signs(pointwise.bn(y * beta[:, None, None]))
        sign, beta = binarize_weight(pointwise.conv.weight)
        want = (functional.conv2d(y, sign) * beta[:, None, None]).relu()
        assert torch.allclose(conv(x), want, atol=1e-5)
    assert sum(isinstance(m, nn.ReLU) for m in conv.modules()) == 1


def test_the_float_counterpart_binarizes_nothing():
    conv = filled(SeparableConv(4, 3, binary=False)).eval()
    assert not any(isinstance(m, BinaryConv2d) for m in conv.modules())
    depthwise, pointwise = conv
    x = torch.randn(2, 4, 5, 5)
    y = functional.conv2d(depthwise.bn(x), depthwise.conv.weight, padding=1, groups=4)
    want = functional.conv2d(pointwise.bn(y), pointwise.conv.weight).relu()
    assert torch.allclose(conv(x), want, atol=1e-6)


def test_training_keeps_a_depthwise_weight_that_needs_no_clamp():
    conv = SeparableConv(4, 3)
    before = conv[0].conv.weight.detach().clone()
    conv(torch.randn(2, 4, 6, 6)).sum().backward()
    assert torch.equal(conv[0].conv.weight, before)
    assert conv[0].conv.weight.grad.any()


def test_the_gradient_without_centring_is_the_formula_without_its_factor():
    latent, grad = torch.randn(3, 1, 3, 3) / 2, torch.randn(3, 1, 3, 3)
    beta = latent.abs().mean(dim=(1, 2, 3))
    sign = signs(latent)
    want = beta[:, None, None, None] * grad * (latent.abs() <= 1)
    want = (want + sign * (sign * grad).mean(dim=(1, 2, 3), keepdim=True)) * 9
    assert torch.allclose(weight_gradient(latent, beta, grad, centred=False), want)
    assert not weight_gradient(latent, beta, grad).any()


def test_the_releases_rule_taken_literally_leaves_nothing():
    config = replace(CONFIGS["Mini"], channels=4, genotype=SEPARABLE, centre_depthwise=True)
    network = build_network(replace(config, skips=False))
    first, second = (network(torch.randn(4, 3, 16, 16)) for _ in range(2))
    assert torch.allclose(first[0], second[1], atol=1e-6)  # no image is told from another
    depthwise = [m for m in network.modules() if isinstance(m, BinaryConv2d) and m.groups > 1]
    assert len(depthwise) == 80
    assert not any(conv.weight.any() for conv in depthwise if conv.weight.grad is not None)
    network.eval()
    assert not any(conv.effective_weight().any() for conv in depthwise)


def test_without_centring_images_are_told_apart():
    config = replace(CONFIGS["Mini"], channels=4, genotype=SEPARABLE, skips=False)
    logits = build_network(config)(torch.randn(4, 3, 16, 16))
    assert not torch.allclose(logits[0], logits[1], atol=1e-2)
