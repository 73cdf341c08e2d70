"""Tests of what stands behind the convolutions of cells, and behind cells."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support.random_networks import scramble
from torch import nn

from bnas_deploy.converters import convert_network
from bnas_deploy.nn.activations import CellPReLU, Shift
from bnas_deploy.nn.config import ACTIVATIONS, CONFIGS
from bnas_deploy.nn.network import build_network

MINI = replace(CONFIGS["Mini"], channels=4, layers=5, image_size=16, shortcut="pool1x1")
PARTS = {
    "relu": (["ReLU"], ["ReLU"]),
    "none": ([], []),
    "shift": ([], ["Shift"]),
    "shift_relu": (["ReLU"], ["Shift", "ReLU"]),
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_the_parts_behind_input_units_and_edges(kind):
    cell = build_network(replace(MINI, activation=kind)).cells[0]
    for unit, parts in zip((cell.inputs[1], cell.ops[1]), PARTS[kind], strict=True):
        assert [type(part).__name__ for part in unit.op][1:] == parts


def test_networks_begin_alike():
    """The shifts begin at 0 and take no random numbers."""
    torch.manual_seed(0)
    plain = build_network(MINI).eval()
    torch.manual_seed(0)
    shifted = build_network(replace(MINI, activation="shift_relu")).eval()
    images = torch.randn(2, 3, 16, 16)
    assert torch.equal(shifted(images), plain(images))


def test_an_edge_adds_its_shift_before_relu():
    unit = build_network(replace(MINI, activation="shift_relu")).cells[0].ops[1].eval()
    x = torch.randn(2, 4, 6, 6)
    y = nn.Sequential(unit.bn, nn.Identity())(x)
    dots = unit.conv(torch.where(y < 0, -1.0, 1.0))
    unit.op[1].shift.data.copy_(torch.tensor([0.5, -0.5, 1.0, -9.0]))
    want = (dots + unit.op[1].shift[:, None, None]).relu()
    assert torch.allclose(unit(x), want, atol=1e-6)
    assert not want[:, 3].any()


def test_a_prelu_of_leading_channels():
    prelu = CellPReLU(4)
    prelu.weight.data.copy_(torch.tensor([0.5, -1.0, 0.0, 7.0]))
    x = torch.full((1, 3, 1, 1), -2.0)
    assert prelu(x).flatten().tolist() == [-1.0, 2.0, 0.0]
    assert prelu(x.bfloat16()).dtype == torch.bfloat16


def test_all_parameters_learn():
    network = build_network(replace(MINI, activation="shift", cell_activation="prelu"))
    network(torch.randn(4, 3, 16, 16)).square().sum().backward()
    learned = [m for m in network.cells[0].modules() if isinstance(m, Shift | CellPReLU)]
    assert [type(m).__name__ for m in learned] == ["Shift", "Shift", "CellPReLU"]
    assert all(p.grad.any() for m in learned for p in m.parameters())


def test_a_packed_network_adds_shifts_within_its_convolutions():
    network = build_network(replace(MINI, activation="shift_relu")).eval()
    scramble(network, 0)
    ops = [step.OP for step in convert_network(network)[0].program.steps]
    assert ops.count("affine") == 1  # the BatchNorm in front of the padded stem
    assert "relu" not in ops
