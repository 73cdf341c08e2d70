"""Schemes that make kernels of others: PCNN projects them, CBCN turns them."""

from __future__ import annotations

import pytest
import torch
from support.scheme_convolutions import make

from bnas_deploy.backbones.schemes.base import Geometry
from bnas_deploy.backbones.schemes.cbcn import CirculantConv2d
from bnas_deploy.backbones.schemes.pcnn import ProjectedConv2d


def test_pcnn_projects_with_matrices_that_channels_share():
    conv = make("pcnn")
    (branch,) = conv.branches()
    assert len(branch.kernels) == 3
    for (sign, scale), matrix in zip(branch.kernels, conv.projections, strict=True):
        product = conv.weight * matrix
        assert torch.equal(sign, torch.where(product >= 0, 1.0, -1.0).double())
        assert torch.allclose(scale, product.abs().mean(dim=(1, 2, 3)))
    assert isinstance(conv, ProjectedConv2d)


def test_pcnn_begins_as_plain_signs():
    conv = ProjectedConv2d(Geometry(4, 4, 3))
    assert torch.equal(conv.branches()[0].kernels[0][0], torch.where(conv.weight >= 0, 1.0, -1.0))


def test_cbcn_turns_kernels_and_orientations():
    conv = make("cbcn")
    assert conv.weight.shape == (3, 8, 3, 3)  # a quarter of 12 filters
    ((sign, scale),) = conv.branches()[0].kernels
    own = torch.where(conv.weight >= 0, 1.0, -1.0).double()
    for turns in range(4):
        for orientation in range(4):
            part = sign[3 * turns : 3 * turns + 3, 2 * orientation : 2 * orientation + 2]
            source = (orientation - turns) % 4
            learned = own[:, 2 * source : 2 * source + 2]
            for _ in range(turns):
                learned = torch.stack([torch.rot90(k) for k in learned.flatten(0, 1)])
                learned = learned.view(3, 2, 3, 3)
            assert torch.equal(part, learned)
    assert torch.equal(scale, conv.weight.abs().mean(dim=(1, 2, 3)).repeat(4))


@pytest.mark.parametrize(("channels", "orientations"), [(8, 4), (6, 2), (5, 1)])
def test_cbcn_has_as_many_orientations_as_fit(channels, orientations):
    conv = CirculantConv2d(Geometry(channels, 8, 3))
    assert conv.orientations == orientations
    assert conv(torch.randn(1, channels, 4, 4)).shape == (1, 8, 4, 4)


def test_a_turned_picture_gives_turned_orientations():
    conv = make("cbcn", inputs=4, outputs=4).eval()
    x = torch.randn(1, 4, 5, 5, dtype=torch.float64)
    rotated = torch.rot90(x, 1, (2, 3)).roll(1, dims=1)
    want = torch.rot90(conv(x), 1, (2, 3)).roll(1, dims=1)
    assert torch.allclose(conv(rotated), want)


def test_a_turned_picture_gives_turned_orientations_of_groups():
    conv = make("cbcn", inputs=16, outputs=24, groups=8).eval()
    assert conv.weight.shape == (6, 2, 3, 3)
    x = torch.randn(1, 16, 5, 5, dtype=torch.float64)
    rotated = torch.rot90(x, 1, (2, 3)).roll(4, dims=1)
    want = torch.rot90(conv(x), 1, (2, 3)).roll(6, dims=1)
    assert torch.allclose(conv(rotated), want)


@pytest.mark.parametrize(("groups", "orientations"), [(2, 2), (3, 1), (4, 4), (12, 4)])
def test_cbcn_keeps_groups_within_an_orientation(groups, orientations):
    conv = CirculantConv2d(Geometry(12, 24, 3, groups=groups))
    assert conv.orientations == orientations
    assert conv(torch.randn(1, 12, 4, 4)).shape == (1, 24, 4, 4)
