"""Tests of skip_connect: the identity, and the factorized reduction as a binary unit."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from bnas_deploy.nn.cell import Cell, CellShape
from bnas_deploy.nn.primitives import OPS
from bnas_deploy.nn.quantize import binarize_weight, signs
from bnas_deploy.nn.skip_connect import FactorizedReduction

NORMAL = (("skip_connect", 0), ("skip_connect", 1)) * 4


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("binary", [True, False])
def test_stride_1_is_the_identity(binary):
    x = torch.randn(2, 6, 5, 5)
    assert OPS["skip_connect"](6, 1, binary)(x) is x


@pytest.mark.parametrize("channels", [1, 2, 5, 8])
@pytest.mark.parametrize("size", [(4, 6), (5, 4), (3, 7), (1, 1), (2, 2)])
@pytest.mark.parametrize("binary", [True, False])
def test_stride_2_against_its_definition(channels, size, binary):
    unit = FactorizedReduction(channels, binary=binary).eval()
    nn.init.normal_(unit.bn.running_mean)
    x = torch.randn(2, channels, *size)
    y = unit.bn(x)
    y = signs(y) if binary else y
    y = functional.pad(y, (0, 1, 0, 1))  # positions outside add nothing
    halves = []
    for offset, conv in enumerate(unit.convs):
        weight = conv.weight
        if binary:
            sign, beta = binarize_weight(weight)
            weight = sign * beta[:, None, None, None]
        taken = y[:, :, offset : offset + size[0] : 2, offset : offset + size[1] : 2]
        halves.append(functional.conv2d(taken, weight))
    want = torch.cat(halves, dim=1).relu()
    got = unit(x)
    assert got.shape == (2, channels, -(-size[0] // 2), -(-size[1] // 2))
    assert torch.allclose(got, want, atol=1e-5)
    assert [conv.out_channels for conv in unit.convs] == [
        n for n in (channels - channels // 2, channels // 2) if n
    ]


def test_gradients_reach_the_weights():
    unit = FactorizedReduction(4)
    unit(torch.randn(2, 4, 6, 6)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in unit.parameters())


def cell():
    shape = CellShape(
        before_last=8, last=8, channels=4, reduction=False, after_reduction=False,
        skip=False, imagenet=False,
    )  # fmt: skip
    return Cell(NORMAL, shape)


def test_nodes_of_identities_are_sums_of_states():
    c = cell().eval()
    s0, s1 = torch.randn(2, 8, 5, 5), torch.randn(2, 8, 5, 5)
    total = c.inputs[0](s0) + c.inputs[1](s1)
    assert torch.equal(c(s0, s1), torch.cat([total] * 4, dim=1))


def test_an_identity_is_never_dropped():
    c = cell()
    s0, s1 = torch.randn(2, 8, 5, 5), torch.randn(2, 8, 5, 5)
    assert torch.allclose(c(s0, s1, 0.9), c(s0, s1), atol=1e-6)


def test_an_identity_of_a_zero_state_is_zero():
    edges = (("none", 0), ("none", 1), ("skip_connect", 2), ("none", 0), *NORMAL[:4])
    c = Cell(edges, cell().shape)
    assert c.zero_states == {2, 3}
