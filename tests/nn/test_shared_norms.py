"""Tests of BatchNorms that several units share."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support.random_networks import scramble
from torch import nn

from bnas_deploy.converters import convert_network
from bnas_deploy.nn.config import CONFIGS
from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE
from bnas_deploy.nn.network import build_network

MINI = replace(CONFIGS["Mini"], channels=4, layers=5, image_size=16, shortcut="pool1x1")
SHARED = replace(MINI, shared_norms=True)
FULL = replace(SHARED, genotype=LATEST_CELL)


def norms(network):
    return [name for name, m in network.named_modules() if isinstance(m, nn.BatchNorm2d)]


def test_the_first_reader_owns_the_batch_norm():
    network = build_network(SHARED)
    first, second = network.cells[0], network.cells[1]
    assert first.inputs[0].bn is first.inputs[1].bn
    assert second.inputs[0].bn is first.inputs[1].bn
    assert network.cells[2].inputs[0].bn is second.inputs[1].bn
    assert norms(network)[:3] == ["stem.bn", "cells.0.preprocess1.bn", "cells.0._ops.1.bn"]
    assert "cells.1.preprocess0.bn.weight" not in network.state_dict()


def test_the_stems_of_imagenet_are_two_values():
    network = build_network(replace(CONFIGS["D"], channels=4, shared_norms=True))
    first, second = network.cells[0], network.cells[1]
    assert first.inputs[0].bn is not first.inputs[1].bn
    assert second.inputs[0].bn is first.inputs[1].bn


def test_edges_out_of_one_state_share():
    cell = build_network(FULL).cells[0]
    by_state = {state: cell.ops[j].bn for j, (_, state) in enumerate(cell.edges)}
    for (_, state), op in zip(cell.edges, cell.ops, strict=True):
        assert op.bn is by_state[state]
    assert len(set(map(id, by_state.values()))) == len(by_state)


@pytest.mark.parametrize("genotype", [LATEST_CELL, LATEST_CELL_ZEROISE], ids=["full", "zeroise"])
@pytest.mark.parametrize("binary", [True, False])
def test_it_computes_what_equal_batch_norms_do(genotype, binary):
    """In training; the gradient of a shared parameter is the sum of theirs."""
    # Of ImageNet, where the BatchNorms of all units have parameters.
    config = replace(CONFIGS["D"], channels=4, layers=5, image_size=64, genotype=genotype)
    plain = build_network(config, binary=binary).double()
    shared = build_network(replace(config, shared_norms=True), binary=binary).double()
    _copy(shared, plain)
    images = torch.randn(4, 3, 64, 64, dtype=torch.double)
    logits, want = shared(images), plain(images)
    assert torch.allclose(logits, want, atol=1e-9)
    weights = torch.randn_like(want)
    (logits * weights).sum().backward()
    (want * weights).sum().backward()
    first, second = plain.cells[0], plain.cells[1]
    readers = [first.inputs[1].bn, second.inputs[0].bn]
    total = sum(bn.bias.grad for bn in readers)
    assert torch.allclose(shared.cells[0].inputs[1].bn.bias.grad, total, rtol=1e-6, atol=1e-9)


def _copy(shared, plain):
    """Give both networks the same random parameters, where `plain` has more of them."""
    generator = torch.Generator().manual_seed(0)
    for parameter in shared.parameters():
        parameter.data.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    for name, module in plain.named_modules():
        parent, _, attribute = name.rpartition(".")
        if isinstance(module, nn.BatchNorm2d | nn.Conv2d | nn.Linear):
            twin = getattr(shared.get_submodule(parent), attribute)
            module.load_state_dict(twin.state_dict())


def test_a_pass_counts_once_in_the_statistics():
    network = build_network(SHARED)
    network(torch.randn(2, 3, 16, 16))
    counts = {int(network.get_submodule(n).num_batches_tracked) for n in norms(network)}
    assert counts <= {0, 1}


def test_a_value_is_binarized_once():
    def read_by_binarize(config):
        network = build_network(config).eval()
        scramble(network, 0)
        program = convert_network(network)[0].program
        return [step.input for step in program.steps if step.OP == "binarize"]

    read = read_by_binarize(SHARED)
    assert len(read) == len(set(read))
    assert len(read_by_binarize(MINI)) > len(read)
