"""Tests of the networks: parameter counts, names, shapes, the float counterpart."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from bnas_deploy.nn.config import CONFIGS, SMALL_CONFIGS
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.nn.layers import BinaryConv2d
from bnas_deploy.nn.network import build_network


def parameters(config, **options):
    with torch.device("meta"):
        network = build_network(config, **options)
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (CONFIGS["Mini"], 1_473_784),
        (CONFIGS["A"], 5_578_252),
        (replace(CONFIGS["A"], genotype=LATEST_CELL), 15_115_516),
    ],
)
def test_parameter_counts_of_the_release(config, count):
    assert parameters(config) == count
    assert parameters(config, binary=False) == count


@pytest.mark.parametrize("name", [*CONFIGS, *SMALL_CONFIGS])
def test_every_named_network_runs_at_a_small_size(name):
    torch.manual_seed(0)
    config = replace({**CONFIGS, **SMALL_CONFIGS}[name], channels=4, classes=7)
    size = 16 if config.dataset == "cifar10" else 64
    images = torch.randn(2, 3, size, size)
    for binary in (True, False):
        network = build_network(config, binary=binary)
        logits = network(images)
        logits.sum().backward()
        assert logits.shape == (2, 7)
        assert logits.isfinite().all()
        assert any(isinstance(m, BinaryConv2d) for m in network.modules()) is binary


def test_names_are_those_of_the_release_on_cifar10():
    names = set(build_network(replace(CONFIGS["Mini"], channels=4)).state_dict())
    batch_norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    assert {f"stem.bn.{entry}" for entry in batch_norm} <= names
    assert {
        "stem.op.0.weight",
        "cells.0.preprocess0.bn.weight",
        "cells.0.preprocess0.op.0.weight",
        "cells.0._ops.1.bn.running_var",
        "cells.0._ops.1.op.0.weight",
        "cells.0._ops.2.op.0.weight",
        "cells.3.preprocess_res.0.running_mean",
        "cells.3.preprocess_res.1.weight",
        "cells.3.preprocess_res.1.bias",
        "classifier.weight",
        "classifier.bias",
    } <= names
    assert "cells.4.preprocess0.bn.weight" not in names
    assert "cells.4.preprocess0.bn.running_mean" in names
    assert not any(name.startswith("cells.0._ops.0") for name in names)


def test_names_are_those_of_the_release_on_imagenet():
    names = set(build_network(replace(CONFIGS["D"], channels=4)).state_dict())
    stem = {name.rsplit(".", 1)[0] for name in names if name.startswith("stem")}
    assert stem == {*(f"stem0.{i}" for i in (0, 1, 3, 4)), "stem1.1", "stem1.2"}
    assert "cells.4.preprocess0_red.op.0.weight" in names
    assert "cells.3.preprocess0.op.0.weight" in names
    assert "cells.5.preprocess0.bn.weight" in names


def test_resolutions_and_channels():
    network = build_network(replace(CONFIGS["D"], channels=4)).eval()
    shapes = []
    for cell in network.cells:
        cell.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
    network(torch.randn(1, 3, 64, 64))
    assert shapes[0] == (16, 8, 8)
    assert shapes[4] == (32, 4, 4)
    assert shapes[-1] == (64, 2, 2)


@pytest.mark.parametrize("stem", ["patches", "overlapping"])
def test_cells_begin_at_half_the_resolution_behind_patches(stem):
    network = build_network(replace(CONFIGS["Mini"], channels=4, stem=stem)).eval()
    assert network.stem(torch.randn(1, 3, 32, 32)).shape == (1, 12, 16, 16)
    assert network.features(torch.randn(1, 3, 32, 32)).shape == (1, 64, 4, 4)


def test_patches_are_space_to_depth_and_a_1x1_convolution():
    network = build_network(replace(CONFIGS["Mini"], channels=4, stem="patches")).eval()
    images = torch.randn(2, 3, 8, 8)
    weight = network.stem.conv.weight
    deep = torch.nn.functional.pixel_unshuffle(network.stem.bn(images), 2)
    expected = torch.einsum("oi,nihw->nohw", weight.flatten(1), deep).relu()
    assert (network.stem(images) - expected).abs().max() < 1e-5


def test_a_few_steps_lower_the_loss():
    torch.manual_seed(0)
    network = build_network(replace(CONFIGS["Mini"], channels=4, layers=3))
    images, labels = torch.randn(10, 3, 8, 8), torch.arange(10)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(12):
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1
