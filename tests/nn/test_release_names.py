"""A state_dict as the authors' release saves it, written out by hand, fits our networks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from bnas_deploy.nn.config import CONFIGS
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.nn.network import build_network

# Kernel sizes of the edges that are convolutions, by edge, for the normal and the reduction cell.
ZEROISE = {1: 3, 2: 3}, {}
FULL = dict.fromkeys(range(8), 3), {3: 3, 5: 3, 7: 3}


def batch_norm(prefix, channels, *, affine=True):
    names = (*(("weight", "bias") if affine else ()), "running_mean", "running_var")
    entries = {f"{prefix}.{name}": torch.rand(channels) for name in names}
    return {**entries, f"{prefix}.num_batches_tracked": torch.tensor(7)}


def unit(prefix, inputs, outputs, size, *, affine=True):
    norm = batch_norm(f"{prefix}.bn", inputs, affine=affine)
    return {**norm, f"{prefix}.op.0.weight": torch.randn(outputs, inputs, size, size)}


def cifar_stem(c):
    return unit("stem", 3, 3 * c, 3)


def imagenet_stem(c):
    return {
        "stem0.0.weight": torch.randn(c // 2, 3, 3, 3),
        **batch_norm("stem0.1", c // 2),
        "stem0.3.weight": torch.randn(c, c // 2, 3, 3),
        **batch_norm("stem0.4", c),
        "stem1.1.weight": torch.randn(c, c, 3, 3),
        **batch_norm("stem1.2", c),
    }


def release(layers, c, edges, classes, *, imagenet):
    """Make the entries of a checkpoint from the release's naming alone."""
    values = imagenet_stem(c) if imagenet else cifar_stem(c)
    before = last = c if imagenet else 3 * c
    halved = imagenet
    for i in range(layers):
        reduction = i in (layers // 3, 2 * layers // 3)
        c = 2 * c if reduction else c
        cell, red = f"cells.{i}", "_red" if imagenet and reduction else ""
        affine = imagenet or not halved
        values |= unit(f"{cell}.preprocess0{red}", before, c, 3 if halved else 1, affine=affine)
        values |= unit(f"{cell}.preprocess1{red}", last, c, 1)
        for j, size in edges[reduction].items():
            values |= unit(f"{cell}._ops.{j}", c, c, size)
        if reduction:
            values |= batch_norm(f"{cell}.preprocess_res.0", last)
            values[f"{cell}.preprocess_res.1.weight"] = torch.randn(4 * c, last, 2, 2)
            values[f"{cell}.preprocess_res.1.bias"] = torch.randn(4 * c)
        before, last, halved = last, 4 * c, reduction
    values["classifier.weight"] = torch.randn(classes, last)
    values["classifier.bias"] = torch.randn(classes)
    return values


@pytest.mark.parametrize(
    ("config", "edges"),
    [
        (CONFIGS["Mini"], ZEROISE),
        (CONFIGS["A"], ZEROISE),
        (CONFIGS["B"], ZEROISE),
        (CONFIGS["C"], ZEROISE),
        (replace(CONFIGS["A"], genotype=LATEST_CELL), FULL),
        (CONFIGS["D"], FULL),
        (CONFIGS["F"], FULL),
        (CONFIGS["G"], FULL),
        (CONFIGS["H"], FULL),
    ],
)
def test_a_checkpoint_of_the_release_fits_as_it_is(config, edges):
    torch.manual_seed(0)
    imagenet = config.dataset == "imagenet"
    config = replace(config, channels=4, classes=7)
    values = release(config.layers, 4, edges, 7, imagenet=imagenet)
    # Channels that never lived: the statistics of a constant zero.
    values["cells.1.preprocess0.bn.running_mean"].zero_()
    values["cells.1.preprocess0.bn.running_var"].fill_(1e-12)
    network = build_network(config).eval()
    network.load_state_dict(values, strict=True)
    for name, value in network.state_dict().items():
        assert torch.equal(value, values[name]), name
    with torch.no_grad():
        assert network(torch.rand(1, 3, 64, 64)).isfinite().all()
