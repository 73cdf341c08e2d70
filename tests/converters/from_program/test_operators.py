"""Operators of ATen, some at a time: the packed program answers as the module does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.torch_modules import Does, binary, chain
from torch import nn
from torch.nn import functional

import bnas_deploy
from bnas_deploy import engine
from bnas_deploy.converters.from_program.aten.table import ATEN


def masked(x):
    y = x.clone()
    y[y >= 0] = 1
    y[y < 0] = -1
    return y


def no_grad(x):
    with torch.no_grad():
        return x.sign()


def halves(x):
    return (2 * ((x > 0) | (x >= 0)).half() - 1).float()


def chosen(x):
    signs = torch.where(x.gt(0) & ~x.lt(0) & x.ne(0), 1.0, -1.0)
    return torch.where(torch.logical_xor(x.le(0), x.eq(0)), -1.0, signs)


def parts(x):
    first, second = x.split([3, 5], 1)
    third, _ = x.chunk(2, 1)
    joined = torch.cat([first, second[:, ::2], third[:, [1, 0]], x[:, 2].unsqueeze(1)], 1)
    return torch.cat([joined, x.flip(1), x.index_select(1, torch.tensor([7, 0])), x[:, -1:]], 1)


def views(x):
    y = x.permute(0, 2, 3, 1).contiguous().view(x.size(0), -1, 8).transpose(1, 2)
    y = y.reshape(-1, 8, 8, 8).unsqueeze(1).squeeze(1).repeat(1, 1, 1, 1)
    return functional.pad(y + torch.ones(8, 1, 1).expand_as(y), (1, 0, 1, 2))


def means(x):
    y = x.mean((2, 3), keepdim=True) + x.sum(3, keepdim=True).mean(2, keepdim=True) / 9
    y = y + x.amax((2, 3), keepdim=True) - x.amin((2, 3), keepdim=True)
    y = (
        y
        + x.max(3, keepdim=True)[0].max(2, keepdim=True)[0]
        - x.min(3)[0].min(2)[0][:, :, None, None]
    )
    return x * torch.sigmoid(y)


def arithmetic(x):
    y = torch.add(x, x.square(), alpha=2) - torch.sub(torch.ones(8, 1, 1), x, alpha=0.5)
    y = 3 - y / 7 + x**3 - (-x).abs() + (x + 0).mul(0.25)
    return torch.maximum(y, torch.tensor(-1.0)).minimum(torch.tensor(3.0)).clamp(min=-0.9)


def norm_of_order_1(x):
    return x * x.norm(1, 1, keepdim=True)


def clamped_by_choices(x):
    x = torch.where(x > 0.5, torch.tensor(0.5), x)
    x = torch.where(x < -0.5, torch.tensor(-0.5), x)
    return torch.where(x >= 0, 1.0, -1.0)


SIGNS = {
    "clamp by choices": clamped_by_choices,
    "masks": masked,
    "no_grad": no_grad,
    "half precision": halves,
    "choices": chosen,
    "heaviside": lambda x: 2 * torch.heaviside(x, torch.tensor(1.0)) - 1,
    "round": lambda x: 2 * x.clamp(0, 1).round() - 1,
    "hardtanh": lambda x: functional.hardtanh(x * 1e6).detach(),
    "in place": lambda x: x.sign_().mul_(2),
}
OTHERS = {
    "arithmetic": [Does(arithmetic)],
    "activations": [nn.ReLU6(), nn.PReLU(8), nn.LeakyReLU(), nn.Tanh(), nn.PReLU()],
    "gates": [nn.Hardswish(), nn.SiLU(), nn.Hardsigmoid(), nn.Dropout(), nn.Sigmoid()],
    "pools": [nn.MaxPool2d(2), nn.AvgPool2d(2, 1, padding=1), nn.MaxPool2d(3, 2, ceil_mode=True)],
    "adaptive pools": [nn.AdaptiveAvgPool2d(4), nn.AdaptiveMaxPool2d(2)],
    "means": [Does(means)],
    "norm of order 1": [Does(norm_of_order_1)],
    "views": [Does(views), nn.Conv2d(8, 8, 3)],
    "groups and strides": [nn.Conv2d(8, 8, 3, stride=2, dilation=2, groups=4, padding="valid")],
    "same padding": [nn.Conv2d(8, 8, 3, padding="same")],
    "computed weights": [nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 8, 3))],
}


def agrees(module, example):
    """The self-check, and the logits of other numbers than the example's."""
    _, report = bnas_deploy.convert(module, torch.zeros(example), allow_float=True, images=16)
    assert report.self_check.clear_same == report.self_check.clear > 0
    return report


@pytest.mark.parametrize("name", SIGNS)
def test_signs(name):
    report = agrees(chain(Does(SIGNS[name]), binary()), (2, 3, 8, 8))
    assert [kept.op for kept in report.kept] == ["conv", "linear"]


@pytest.mark.parametrize("name", OTHERS)
def test_other_operators(name):
    agrees(chain(*OTHERS[name]), (2, 3, 8, 8))


def test_parts_and_joins():
    agrees(chain(Does(parts), channels=20), (2, 3, 8, 8))


def test_shuffles_and_space_to_depth_before_a_binary_layer():
    parts = (nn.ChannelShuffle(4), nn.PixelUnshuffle(2), Does(torch.sign), binary(32))
    assert len(agrees(chain(*parts), (2, 3, 8, 8)).kept) == 3


def test_vectors():
    layers = [nn.Linear(12, 16), nn.BatchNorm1d(16), Does(torch.sign), nn.Linear(16, 8)]
    layers[3].weight.data = layers[3].weight.data.sign()
    last = Does(lambda x: x @ torch.arange(24.0).view(8, 3) + 1)
    report = agrees(nn.Sequential(*layers, last, nn.LogSoftmax(1)).eval(), (2, 12))
    assert [kept.layer for kept in report.kept if kept.op == "linear"] == ["0", "4"]


def test_channels_last():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = chain(Does(torch.sign), binary())

        def forward(self, x):
            return self.inner(x.permute(0, 3, 1, 2))

    module = Net().eval()
    packed, _ = bnas_deploy.convert(module, torch.zeros(1, 8, 6, 3), allow_float=True)
    images = np.random.default_rng(0).standard_normal((3, 8, 6, 3)).astype(np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(images)).numpy()
    got = engine.create(packed).run(images.transpose(0, 3, 1, 2).copy())
    assert np.allclose(got, expected, atol=1e-5)


def test_the_table_names_operators_of_pytorch():
    for name in set(ATEN) - {"convert_element_type"}:
        assert hasattr(torch.ops.aten, name)
