"""Tests that two processes with parts of a batch do what one does with all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.parallel_processes import ROOT, run_together
from torch import distributed, nn

from bnas_deploy.nn import data_parallel
from bnas_deploy.nn.cell import drop_samples
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL_ZEROISE
from bnas_deploy.nn.layers import normalise
from bnas_deploy.nn.network import build_network

WORKER = Path(__file__).with_name("data_parallel_worker.py")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    alone = {name: value for name, value in os.environ.items() if name != "RANK"}
    subprocess.run(
        [sys.executable, WORKER, folder / "alone"],
        check=True,
        env={**alone, "PYTHONPATH": str(ROOT)},
    )
    done = run_together([str(WORKER), str(folder / "two")])
    assert [process.returncode for process in done] == [0, 0], done[0].stderr + done[1].stderr
    return [torch.load(folder / name) for name in ("alone.0", "two.0", "two.1")]


@pytest.fixture
def lonely_group(tmp_path):
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1
    )
    yield
    distributed.destroy_process_group()


@pytest.mark.parametrize("network", ["cifar10", "imagenet", "template", "float"])
def test_two_processes_train_as_one(runs, network):
    alone, first, second = (run[network] for run in runs)
    for name, want in alone.items():
        got = first[name]
        assert torch.equal(got, second[name]), name
        if want.is_floating_point():
            assert torch.allclose(got, want, rtol=1e-9, atol=1e-12), name
        else:
            assert torch.equal(got, want), name
    assert alone["losses"][-1] != alone["losses"][0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("live", [3, 5])
def test_one_process_is_the_plain_batch_norm(lonely_group, live, dtype):
    torch.manual_seed(0)
    plain, shared = nn.BatchNorm2d(5), nn.BatchNorm2d(5)
    x = (torch.randn(4, live, 3, 3) * 3 + 2).to(dtype)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    want = normalise(plain, a, binary=False)
    got = data_parallel.shared_normalise(shared, b, binary=False)
    noise = {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 0.05, "atol": 0.05}
    assert got.dtype == want.dtype == dtype
    assert torch.allclose(got, want, **noise)
    weights = torch.randn(want.shape).to(dtype)
    (want * weights).sum().backward()
    (got * weights).sum().backward()
    assert torch.allclose(b.grad, a.grad, **noise)
    assert torch.allclose(shared.weight.grad, plain.weight.grad, **noise)
    for name, value in plain.state_dict().items():
        assert torch.allclose(shared.state_dict()[name], value, **noise), name


def test_install_reaches_every_batch_norm(lonely_group):
    config = NetworkConfig("c", 3, 4, LATEST_CELL_ZEROISE, "imagenet", 3, 32)
    network = build_network(config)
    names = list(network.state_dict())
    data_parallel.install(network)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms
    assert all(type(module) is data_parallel.SharedBatchNorm2d for module in norms)
    assert list(network.state_dict()) == names


def test_evaluation_is_left_alone():
    plain, shared = (build_network(NetworkConfig("a", 3, 4, LATEST_CELL_ZEROISE)) for _ in "ab")
    shared.load_state_dict(plain.state_dict())
    data_parallel.install(shared)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(plain.eval()(images), shared.eval()(images))


def test_drop_path_drops_what_one_process_would():
    x = torch.randn(10, 2, 1, 1)
    torch.manual_seed(1)
    want = drop_samples(x, 0.5)
    drop, parts = data_parallel.SharedDrop(), []
    for first, last in ((0, 3), (3, 10)):
        torch.manual_seed(1)
        drop.first, drop.total = first, 10
        parts.append(drop(x[first:last], 0.5))
    assert torch.equal(torch.cat(parts), want)
    assert (want == 0).any()
