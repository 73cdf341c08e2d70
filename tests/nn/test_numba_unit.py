"""Tests of the fused units against the plain ones, on bfloat16 activations."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from bnas_deploy.nn.config import CONFIGS
from bnas_deploy.nn.genotype import DARTS_V2, GDAS_V1
from bnas_deploy.nn.layers import normalise
from bnas_deploy.nn.network import build_network

pytest.importorskip("numba")
from bnas_deploy.nn.numba_unit import fused_normalise, fused_relu, install


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def filled(channels, affine):
    bn = torch.nn.BatchNorm2d(channels, affine=affine)
    if affine:
        bn.weight.data.uniform_(-1, 1.5)
        bn.bias.data.normal_()
    return bn


@pytest.mark.parametrize("live", [1, 15, 16, 33])
@pytest.mark.parametrize("absent", [0, 3])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
def test_normalise(live, absent, affine, binary, memory_format):
    plain, fused = filled(live + absent, affine), filled(live + absent, affine)
    fused.load_state_dict(plain.state_dict())
    x = (torch.randn(5, live, 7, 33) * 3 + 1).to(torch.bfloat16).to(memory_format=memory_format)
    grad = torch.randn(5, live, 7, 33).to(torch.bfloat16)
    wide, narrow = x.double().requires_grad_(), x.clone().requires_grad_()
    want = normalise(plain.double(), wide, binary=binary)
    got = fused_normalise(fused, narrow, binary=binary)
    want.backward(grad.double())
    got.backward(grad)
    close = {"rtol": 0.02, "atol": 0.02}
    torch.testing.assert_close(got.double(), want, **({"rtol": 0, "atol": 0} if binary else close))
    torch.testing.assert_close(narrow.grad.double(), wide.grad, **close)
    for name, value in plain.state_dict().items():
        got = fused.state_dict()[name].to(value.dtype)
        torch.testing.assert_close(got, value, rtol=1e-4, atol=1e-5)
    for a, b in zip(fused.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a.grad.double(), b.grad, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
def test_relu_with_slices_of_a_gradient(memory_format):
    def parts():
        torch.manual_seed(0)
        shapes = [(3, c, 5, 7) for c in (4, 1, 8)]
        return [
            torch.randn(s, dtype=torch.bfloat16).to(memory_format=memory_format).requires_grad_()
            for s in shapes
        ]

    grad = torch.randn(3, 13, 5, 7, dtype=torch.bfloat16).to(memory_format=memory_format)
    plain, fused = parts(), parts()
    torch.cat([torch.relu(x) for x in plain], dim=1).backward(grad)
    torch.cat([fused_relu(x + 0) for x in fused], dim=1).backward(grad)
    for a, b in zip(plain, fused, strict=True):
        assert torch.equal(a.grad, b.grad)


def test_float32_and_evaluation_take_the_plain_way():
    bn, x = filled(3, True), torch.randn(2, 3, 4, 4)
    again = filled(3, True)
    again.load_state_dict(bn.state_dict())
    assert torch.equal(fused_normalise(bn, x, binary=False), again(x))
    bn.eval(), again.eval()
    half = x.to(torch.bfloat16)
    assert torch.equal(fused_normalise(bn, half, binary=False), again(half))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shortcut": "binary"},
        {"genotype": GDAS_V1, "layers": 4, "skips": False},
        {"genotype": DARTS_V2, "layers": 3, "skips": False, "activation_scale": True},
    ],
    ids=["Mini", "binary shortcut", "gdas", "scaled darts"],
)
def test_a_whole_network_agrees_in_its_first_loss(options):
    config = replace(CONFIGS["Mini"], channels=8, **options)
    plain, fused = build_network(config), build_network(config)
    fused.load_state_dict(plain.state_dict())
    install(fused)
    images = torch.randn(8, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        a, b = plain(images), fused(images)
    b.float().sum().backward()
    # A rounding at a threshold may turn a sign, so that only the size of the difference is small;
    # another network differs by twenty times this.
    assert (a - b).float().abs().mean() < 0.05 * a.float().abs().mean() + 0.01
    assert all(p.grad.isfinite().all() for p in fused.parameters() if p.grad is not None)


def test_installing_keeps_the_number_of_threads():
    # Numba starts its threads once a process, so this needs one of its own.
    code = (
        "import torch; torch.set_num_threads(1); from bnas_deploy.nn.numba_unit import install;"
        " install(torch.nn.ReLU()); print(torch.get_num_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
