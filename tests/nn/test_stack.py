"""Tests of Table 1's small CNN: its layers, what centring does to it, and who refuses it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from bnas_deploy.converters.from_torch.convert import convert_network
from bnas_deploy.cost import network_layers
from bnas_deploy.errors import ConfigError, ConversionError
from bnas_deploy.nn.config import CONFIGS, NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE, Genotype
from bnas_deploy.nn.layers import BinaryConv2d
from bnas_deploy.nn.network import build_network
from bnas_deploy.nn.stack import LAYER_TYPES


def config(primitive, **changes):
    edges = [(primitive, 0)] * 8
    made = NetworkConfig("stack", 3, 6, Genotype(edges, edges), classes=4, template="stack")
    return replace(made, image_size=8, **changes)


@pytest.mark.parametrize("primitive", LAYER_TYPES)
@pytest.mark.parametrize("binary", [True, False])
def test_three_layers_of_a_type_and_three_linear_ones(primitive, binary):
    torch.manual_seed(0)
    network = build_network(config(primitive), binary=binary)
    convs = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    kernel, dilation, separable = LAYER_TYPES[primitive]
    assert len(convs) == (6 if separable else 3)
    assert all(isinstance(conv, BinaryConv2d) == binary for conv in convs)
    assert {c.kernel_size[0] for c in convs} == ({kernel, 1} if separable else {kernel})
    assert {c.dilation[0] for c in convs if c.kernel_size[0] > 1} == {dilation}
    assert sum(isinstance(m, nn.Linear) for m in network.modules()) == 3
    assert network(torch.randn(5, 3, 8, 8)).shape == (5, 4)


def test_centred_depthwise_weights_make_every_answer_the_same():
    torch.manual_seed(0)
    images = torch.randn(4, 3, 8, 8)
    for centred, same in ((True, True), (False, False)):
        network = build_network(config("bin_sep_conv_3x3", centre_depthwise=centred))
        logits = network(images)
        assert torch.equal(logits, logits[:1].expand_as(logits)) is same


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"genotype": LATEST_CELL_ZEROISE}, "a stack is made of one of bin_conv_3x3"),
        ({"image_size": 4}, "halve an image of 4 pixels to nothing"),
    ],
)
def test_what_cannot_be_stacked(changes, message):
    with pytest.raises(ConfigError, match=message):
        build_network(replace(config("bin_conv_3x3"), **changes))


def test_an_unknown_template():
    with pytest.raises(ConfigError, match="template is one of cells, stack; got 'tree'"):
        replace(CONFIGS["A"], template="tree")


def test_a_stack_is_neither_exported_nor_counted():
    with pytest.raises(ConversionError, match="only one of cells can be exported"):
        convert_network(build_network(config("bin_conv_3x3")))
    with pytest.raises(ConfigError, match="only networks of cells are counted"):
        network_layers(config("bin_conv_3x3"))
