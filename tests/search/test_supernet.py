"""Tests of the supernet: its template, what is binary, and what the parameters are."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.nn.layers import BinaryConv2d, ConvUnit
from bnas_deploy.search.recipe import SearchRecipe
from bnas_deploy.search.space import SUPERNET_EDGES
from bnas_deploy.search.supernet import Supernet


def supernet(**change):
    torch.manual_seed(0)
    small = {"cells": 4, "channels": 2, "image_size": 8}
    return Supernet(SearchRecipe(**{**small, **change}), classes=3)


def test_logits_and_parameters():
    net = supernet()
    assert net(torch.randn(5, 3, 8, 8)).shape == (5, 3)
    assert {kind: tuple(alpha.shape) for kind, alpha in net.alphas.items()} == {
        "normal": (14, 7),
        "reduce": (14, 7),
    }
    both = {id(p) for p in net.weights()} | {id(p) for p in net.alphas.values()}
    assert both == {id(p) for p in net.parameters()}
    assert len(net.weights()) + 2 == len(both)


def test_architecture_parameters_start_small():
    alphas = torch.cat([alpha.detach() for alpha in supernet().alphas.values()])
    assert 0.0007 < alphas.std() < 0.0013
    assert alphas.abs().max() < 0.005


def test_cells_of_a_kind_share_their_architecture():
    net = supernet()
    grads = torch.autograd.grad(net(torch.randn(4, 3, 8, 8)).sum(), list(net.alphas.values()))
    assert all(grad.abs().sum() > 0 for grad in grads)


def test_what_is_binary():
    net = supernet()
    binary = {name for name, m in net.named_modules() if isinstance(m, BinaryConv2d)}
    assert len(binary) == 4 * 14 * 4
    assert all(".edges." in name for name in binary)
    assert not any(
        module.bn.affine for module in (net.cells[0].preprocess0, net.cells[0].preprocess1)
    )


def test_the_template():
    net = supernet()
    assert [cell.shape.reduction for cell in net.cells] == [False, True, True, False]
    assert [cell.shape.skip for cell in net.cells] == [False, True, True, True]
    assert [hasattr(cell, "preprocess_res") for cell in net.cells] == [False, True, True, False]
    assert net.cells[2].preprocess0.conv.stride == (2, 2)
    strides = [edge.ops["bin_conv_3x3"].conv.stride[0] for edge in net.cells[1].edges]
    assert strides == [2, 2, 2, 2, 1, 2, 2, 1, 1, 2, 2, 1, 1, 1]


@pytest.mark.parametrize("skip", [True, False])
def test_a_normal_cell_of_zeroise_is_its_skip(skip):
    cell = supernet(skip=skip).cells[3]
    p = torch.zeros(14, 7)
    p[:, 0] = 1.0
    s0, s1 = torch.randn(2, cell.shape.before_last, 4, 4), torch.randn(2, cell.shape.last, 2, 2)
    out = cell(s0, s1, p)
    assert torch.equal(out, s1) if skip else not out.any()


@pytest.mark.parametrize("index", [0, 1, 2, 3])
@pytest.mark.parametrize("held", [False, True])
def test_a_node_is_the_sum_of_its_edges(index, held):
    cell = supernet(channels=3).double().cells[index]
    for module in cell.modules():
        if isinstance(module, ConvUnit):
            # A sum of as many +beta as -beta is zero or nearly so, depending on the order; the
            # gradient of ReLU must not depend on that here.
            module.rectify = torch.Tensor.clone
        if isinstance(module, BinaryConv2d):
            module.training = not held
    p = torch.randn(14, 7).double().softmax(1).requires_grad_()
    size = 8 if cell.shape.after_reduction else 4
    s0 = torch.randn(2, cell.shape.before_last, size, size).double()
    s1 = torch.randn(2, cell.shape.last, 4, 4).double()
    states = [cell.preprocess0(s0), cell.preprocess1(s1)]
    for node in range(2, 6):
        own = [j for j, (target, _) in enumerate(SUPERNET_EDGES) if target == node]
        states.append(sum(cell.edges[j](states[SUPERNET_EDGES[j][1]], p[j]) for j in own))
    plain = torch.cat(states[2:], 1)
    if cell.shape.skip:
        plain = plain + (cell.preprocess_res(s1) if cell.shape.reduction else s1)
    inputs, mix = [p, *cell.parameters()], torch.randn_like(plain)
    wanted = torch.autograd.grad((plain * mix).sum(), inputs)
    out = cell(s0, s1, p)
    torch.testing.assert_close(out, plain)
    found = torch.autograd.grad((out * mix).sum(), inputs)
    for got, want in zip(found, wanted, strict=True):
        torch.testing.assert_close(got, want)


def test_the_smaller_space():
    assert supernet(zeroise=False, dilated=False).alphas["normal"].shape == (14, 4)
