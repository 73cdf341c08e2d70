"""Trains small networks for a few steps, alone or with others, and saves the results.

Not a test: `test_data_parallel` runs it in one process and in two, and compares.

Scales of binary filters are rounded to powers of two here, so that sums of them are exact. With any
scale, rounding decides ties (a dot product of zero in front of a ReLU, equal values in a max-pool)
one way or the other, and the gradient takes a different path; that is so between two numbers of
threads as well.
"""

from __future__ import annotations

import os
import sys

import torch
from torch import distributed
from torch.nn import functional

from bnas_deploy.nn import data_parallel, quantize
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.machine.parallel import Group, share

IMAGES, STEPS = 15, 4
NETWORKS = {
    "cifar10": (NetworkConfig("a", 3, 4, LATEST_CELL_ZEROISE, classes=3, image_size=8), True),
    "imagenet": (NetworkConfig("c", 3, 4, LATEST_CELL, "imagenet", 3, 32), True),
    "template": (  # With 16 pixels a value is exactly the mean of its channel, which is such a tie.
        NetworkConfig(
            "e",
            *(3, 4, LATEST_CELL),
            classes=3,
            image_size=32,
            stem="overlapping",
            shared_norms=True,
            activation="shift",
            cell_activation="prelu",
        ),
        True,
    ),
    "float": (NetworkConfig("d", 3, 4, LATEST_CELL, classes=3, image_size=8), False),
}

_scale = quantize._sign_and_scale


def exact_scale(constrained):
    sign, beta = _scale(constrained)
    return sign, torch.exp2(torch.round(torch.log2(beta)))


def train(config, *, binary, group):
    torch.manual_seed(3)
    network = build_network(config, binary=binary).double()
    network.drop_path = 0.3
    size = config.image_size
    images, labels = torch.randn(IMAGES, 3, size, size).double(), torch.arange(IMAGES) % 3
    own = slice(*share(IMAGES, group.rank, group.world))
    if group.world > 1:
        drop = data_parallel.install(network)
        drop.first, drop.total = own.start, IMAGES
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        logits = network(images[own])
        loss = functional.cross_entropy(logits, labels[own], reduction="sum") / IMAGES
        loss.backward()
        group.add_gradients(network.parameters())
        optimizer.step()
        total = loss.detach().clone()
        group.add(total)
        losses.append(total)
    network.eval()
    with torch.no_grad():
        answers = network(images)
    return {"losses": torch.stack(losses), "answers": answers, **network.state_dict()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    quantize._sign_and_scale = exact_scale
    group = Group()
    if "RANK" in os.environ:
        distributed.init_process_group("gloo")
        group = Group(distributed.get_rank(), distributed.get_world_size())
    result = {
        name: train(config, binary=binary, group=group)
        for name, (config, binary) in NETWORKS.items()
    }
    torch.save(result, f"{sys.argv[1]}.{group.rank}")
    if group.world > 1:
        distributed.barrier()
        os._exit(0)  # as bnas-train does: unloading may abort
