"""Tests that the edges out of a state give together what each gives by itself.

Gradients through a whole cell are compared in `test_supernet`.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bnas_deploy.search import mixed
from bnas_deploy.search.grouped import mix_state, share_norms
from bnas_deploy.search.mixed import MixedEdge
from bnas_deploy.search.space import PAPER_SPACE


def edges(count, stride=1, space=PAPER_SPACE):
    torch.manual_seed(0)
    made = [MixedEdge(space, 3, stride).double() for _ in range(count)]
    share_norms(made)
    return made


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize(("stride", "size"), [(1, 6), (2, 6), (2, 7)])
def test_outputs_and_gradients_of_the_probabilities(count, stride, size):
    own = edges(count, stride)
    x = torch.randn(2, 3, size, size).double()
    p = torch.randn(count, 7).double().softmax(1).requires_grad_()
    together = torch.stack(list(mix_state(own, x, p)))
    alone = torch.stack([edge(x, row) for edge, row in zip(own, p, strict=True)])
    torch.testing.assert_close(together, alone)
    mix = torch.randn_like(alone)
    (got,) = torch.autograd.grad((together * mix).sum(), [p])
    (want,) = torch.autograd.grad((alone * mix).sum(), [p])
    torch.testing.assert_close(got, want)


def test_the_gradient_of_the_probabilities_against_finite_differences():
    own = edges(2)
    x = torch.randn(2, 3, 5, 5).double()
    alphas = torch.randn(2, 7, dtype=torch.float64, requires_grad=True)
    for module in own[0].modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    assert torch.autograd.gradcheck(lambda a: tuple(mix_state(own, x, a.softmax(1))), (alphas,))


def test_a_primitive_that_is_no_single_unit(monkeypatch):
    def build(channels, stride, binary):
        return nn.Sequential(nn.BatchNorm2d(channels), nn.Conv2d(channels, channels, 1, stride))

    monkeypatch.setitem(mixed.OPS, "bin_sep_conv_9x9", build)
    own = edges(2, stride=2, space=("none", "bin_conv_3x3", "bin_sep_conv_9x9"))
    x = torch.randn(2, 3, 6, 6).double()
    p = torch.randn(2, 3).double().softmax(1)
    for edge, row, out in zip(own, p, mix_state(own, x, p), strict=True):
        torch.testing.assert_close(out, edge(x, row))


def test_a_space_without_convolutions_of_one_unit():
    own = edges(2, space=("none", "max_pool_3x3"))
    x = torch.randn(2, 3, 6, 6).double()
    p = torch.full((2, 2), 0.5).double()
    assert torch.equal(mix_state(own, x, p)[1], own[1](x, p[1]))


def test_what_is_shared():
    first, second = edges(2)
    norms = {id(m) for e in (first, second) for m in e.modules() if isinstance(m, nn.BatchNorm2d)}
    assert len(norms) == 3
    assert first.ops["max_pool_3x3"] is second.ops["max_pool_3x3"]
    assert first.ops["bin_conv_3x3"].conv is not second.ops["bin_conv_3x3"].conv
