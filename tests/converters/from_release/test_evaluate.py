"""The evaluation of the release against our own networks, where the two mean the same."""

from __future__ import annotations

import pytest
import torch
from support.release_checkpoints import FULL, ZEROISE, release

from bnas_deploy.converters.from_release.evaluate import release_logits
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE
from bnas_deploy.nn.network import build_network

CASES = [
    (LATEST_CELL_ZEROISE, ZEROISE, "cifar10", (1, 2)),
    (LATEST_CELL, FULL, "cifar10", (6, 7)),
    (LATEST_CELL, FULL, "imagenet", (6, 7)),
]


@pytest.mark.parametrize(("genotype", "edges", "dataset", "last"), CASES)
def test_it_is_our_network_but_for_the_last_two_convolutions(genotype, edges, dataset, last):
    torch.manual_seed(0)
    values = release(4, 6, edges, 5, imagenet=dataset == "imagenet")
    config = NetworkConfig("test", 4, 6, genotype, dataset, 5, 32)
    network = build_network(config).eval()
    network.load_state_dict(values)
    images = torch.randn(3, 3, 32, 32, dtype=torch.float64)
    weights = {name: value.double() for name, value in values.items()}
    got = release_logits(weights, genotype, images)
    with torch.no_grad():
        without = network.double()(images)
        for j in last:
            conv = network.cells[3].ops[j].conv
            conv.effective_weight = lambda conv=conv: conv.weight
        want = network(images)
    assert torch.allclose(got, want, rtol=1e-9, atol=0)
    assert (got - without).norm() > 1e-3 * want.norm()


def test_signs_of_zero_are_zero():
    torch.manual_seed(0)
    values = {n: v.double() for n, v in release(3, 4, ZEROISE, 2, imagenet=False).items()}
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    values["cells.0.preprocess0.bn.weight"].zero_()
    values["cells.0.preprocess0.bn.bias"].fill_(1e-30)
    positive = release_logits(values, LATEST_CELL_ZEROISE, images)
    values["cells.0.preprocess0.bn.bias"].zero_()
    zero = release_logits(values, LATEST_CELL_ZEROISE, images)
    values["cells.0.preprocess0.op.0.weight"].zero_()
    assert torch.equal(zero, release_logits(values, LATEST_CELL_ZEROISE, images))
    assert not torch.equal(zero, positive)
