"""Tests of naming the layer that is not finite."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bnas_deploy.training.fault import first_fault, nonfinite_parameter


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 4)), nn.ReLU())


def fault(network, x=None):
    return first_fault(network, lambda: network(torch.ones(2, 3) if x is None else x))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_the_innermost_layer_and_its_parameter(network, value):
    network[1][1].bias.data[2] = value
    assert fault(network) == "the first layer at fault is 1.1 (its parameter bias is not finite)"


def test_a_layer_that_overflows_has_no_parameter_to_blame(network):
    network[0].weight.data.fill_(3e38)
    assert fault(network) == "the first layer at fault is 0"


def test_an_input_at_fault_shows_in_the_first_layer(network):
    assert fault(network, torch.full((2, 3), float("nan"))) == "the first layer at fault is 0"


def test_a_parameter_that_no_output_shows(network):
    network.unused = nn.Parameter(torch.tensor(float("nan")))
    assert (
        first_fault(network, lambda: network[0](torch.ones(2, 3)))
        == "the parameter unused is not finite"
    )


def test_nothing_at_fault(network):
    assert fault(network) == "every layer's output is finite"
    assert nonfinite_parameter(network) is None
    assert not any(module._forward_hooks for module in network.modules())


def test_running_statistics_count():
    bn = nn.BatchNorm2d(2)
    bn.running_var[1] = float("inf")
    assert nonfinite_parameter(bn) == "running_var"
