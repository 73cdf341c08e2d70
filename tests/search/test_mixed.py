"""Tests of the mixed edge."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bnas_deploy.nn.primitives import OPS
from bnas_deploy.search.mixed import MixedEdge, without_affine
from bnas_deploy.search.space import PAPER_SPACE


def test_the_weighted_sum_of_all_primitives():
    torch.manual_seed(0)
    edge = MixedEdge(PAPER_SPACE, 3, 1)
    x, p = torch.randn(4, 3, 6, 6), torch.randn(7).softmax(0)
    expected = torch.zeros(4, 3, 6, 6)
    for index, name in enumerate(PAPER_SPACE[1:], start=1):
        expected += p[index] * edge.ops[name](x)
    torch.testing.assert_close(edge(x, p), expected)


@pytest.mark.parametrize(("stride", "size", "want"), [(1, 8, 8), (2, 8, 4), (2, 7, 4), (1, 1, 1)])
def test_shapes(stride, size, want):
    edge = MixedEdge(PAPER_SPACE, 3, stride)
    x, p = torch.randn(4, 3, size, size), torch.full((7,), 1 / 7)
    assert edge(x, p).shape == (4, 3, want, want)


def test_certain_zeroise_is_zero():
    edge = MixedEdge(PAPER_SPACE, 2, 2)
    p = torch.zeros(7)
    p[0] = 1.0
    assert not edge(torch.randn(4, 2, 4, 4), p).any()


def test_zeroise_gets_its_gradient_through_the_softmax():
    edge = MixedEdge(("none", "max_pool_3x3"), 2, 1)
    alpha = torch.zeros(2, requires_grad=True)
    x = torch.randn(4, 2, 4, 4)
    (gradient,) = torch.autograd.grad((edge(x, alpha.softmax(0)) ** 2).sum(), [alpha])
    assert gradient[0] == -gradient[1] != 0


def test_no_batch_norm_is_affine_and_pools_have_one():
    edge = MixedEdge(PAPER_SPACE, 2, 1)
    norms = [m for m in edge.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 6
    assert not any(norm.affine for norm in norms)
    x = 7 * torch.randn(8, 2, 4, 4) + 3
    for name in ("max_pool_3x3", "avg_pool_3x3"):
        out = edge.ops[name](x)
        assert out.mean((0, 2, 3)).abs().max() < 1e-5
        assert out.var((0, 2, 3), unbiased=False).sub(1).abs().max() < 1e-4


def test_without_affine_keeps_what_is_computed():
    torch.manual_seed(0)
    unit = OPS["bin_conv_3x3"](3, 1, True)
    x = torch.randn(4, 3, 5, 5)
    before = unit(x)
    assert torch.equal(without_affine(unit)(x), before)
    assert not list(unit.bn.parameters())
