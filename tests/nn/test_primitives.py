"""Tests of the primitives."""

from __future__ import annotations

import pytest
import torch

from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import PRIMITIVES, Genotype
from bnas_deploy.nn.network import build_network
from bnas_deploy.nn.primitives import OPS


def test_there_is_a_module_for_every_primitive():
    assert tuple(OPS) == PRIMITIVES


@pytest.mark.parametrize("name", PRIMITIVES)
@pytest.mark.parametrize(("stride", "size", "want"), [(1, 8, 8), (2, 8, 4), (2, 7, 4), (1, 1, 1)])
@pytest.mark.parametrize("binary", [True, False])
def test_shapes(name, stride, size, want, binary):
    out = OPS[name](6, stride, binary)(torch.randn(2, 6, size, size))
    assert out.shape == (2, 6, want, want)


@pytest.mark.parametrize("name", PRIMITIVES[3:-1])
@pytest.mark.parametrize("binary", [True, False])
def test_a_cell_of_one_layer_type(name, binary):
    genotype = Genotype([(name, 0), (name, 1)] * 4, [(name, 0), (name, 1)] * 4)
    config = NetworkConfig("one type", 3, 4, genotype, image_size=8, skips=False)
    logits = build_network(config, binary=binary)(torch.randn(2, 3, 8, 8))
    logits.sum().backward()
    assert logits.isfinite().all()


@pytest.mark.parametrize("stride", [1, 2])
def test_zeroise_gives_zeros(stride):
    assert not OPS["none"](3, stride, True)(torch.randn(2, 3, 4, 4)).any()


def test_average_pooling_does_not_count_the_padding():
    assert torch.equal(
        OPS["avg_pool_3x3"](1, 1, True)(torch.ones(1, 1, 3, 3)), torch.ones(1, 1, 3, 3)
    )


def test_max_pooling_does_not_see_the_padding():
    assert OPS["max_pool_3x3"](1, 1, True)(-torch.ones(1, 1, 2, 2)).max() == -1


@pytest.mark.parametrize(
    ("name", "reach"),
    [
        ("bin_conv_3x3", 1),
        ("bin_conv_5x5", 2),
        ("bin_dil_conv_3x3", 2),
        ("bin_dil_conv_5x5", 4),
    ],
)
def test_how_far_a_convolution_reaches(name, reach):
    conv = OPS[name](2, 1, True).conv
    assert conv.dilation[0] * (conv.kernel_size[0] - 1) // 2 == reach == conv.padding[0]
