"""Squeeze and excitation, against its formula."""

from __future__ import annotations

import torch

from bnas_deploy.backbones.senet import Excitation


def test_factors_of_the_channels_come_from_the_means():
    torch.manual_seed(0)
    module = Excitation(32)
    x = torch.randn(2, 32, 3, 5)
    few = torch.relu(x.mean((2, 3)) @ module.squeeze.weight.T + module.squeeze.bias)
    factors = 1 / (1 + torch.exp(-(few @ module.excite.weight.T + module.excite.bias)))
    assert few.shape == (2, 2)
    assert torch.allclose(module(x), x * factors[..., None, None], atol=1e-6)


def test_few_channels_keep_one():
    assert Excitation(3).squeeze.out_features == 1
