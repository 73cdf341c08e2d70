"""Tests of the shortcuts: what they compute, and that they leave no constant channel."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from bnas_deploy.nn import shortcuts
from bnas_deploy.nn.config import CONFIGS, SHORTCUTS, NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE, Genotype
from bnas_deploy.nn.layers import ConvUnit
from bnas_deploy.nn.network import build_network
from bnas_deploy.nn.quantize import binarize_weight, signs
from bnas_deploy.nn.shortcuts import PooledShortcut, Shortcut, build_shortcut

NOTHING = Genotype([("none", 0)] * 8, [("none", 1)] * 8)
ZERO_IN_THE_MIDDLE = Genotype(
    [("bin_conv_3x3", 0), ("none", 1), *[("none", 0)] * 4, ("bin_conv_3x3", 1), ("none", 0)],
    [("max_pool_3x3", 0), ("none", 1), *[("none", 0)] * 6],
)
CELLS = [LATEST_CELL_ZEROISE, LATEST_CELL, ZERO_IN_THE_MIDDLE, NOTHING]
NAMES = {
    "conv": {"1.weight": (16, 8, 2, 2), "1.bias": (16,)},
    "pool1x1": {"2.weight": (16, 8, 1, 1), "2.bias": (16,)},
    "binary": {"1.weight": (16, 8, 2, 2)},
    "pool": {},
}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def filled(module):
    """Give BatchNorms values that are not their first ones."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d) and part.affine:
            nn.init.uniform_(part.weight, 0.5, 1)
            nn.init.normal_(part.bias)
    return module


class NaiveShortcut(PooledShortcut):
    """Repeats every channel, zero ones too: what the network must not do."""

    def forward(self, input):
        missing = self.bn.num_features - input.shape[1]
        return super().forward(functional.pad(input, (0, 0, 0, 0, 0, missing)))


@pytest.mark.parametrize("kind", SHORTCUTS)
def test_names_and_shapes_of_the_weights(kind):
    state = build_shortcut(kind, 8, 16).state_dict()
    norm = {f"0.{n}" for n in ("weight", "bias", "running_mean", "running_var")}
    assert norm <= set(state)
    weights = {name: tuple(t.shape) for name, t in state.items() if not name.startswith("0.")}
    assert weights == NAMES[kind]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("live", [2, 4, 8])
def test_pool1x1_against_its_definition(live, training):
    shortcut = filled(build_shortcut("pool1x1", 8, 16)).train(training)
    bn, _, conv = shortcut
    x = torch.randn(3, live, 6, 4)
    full = functional.pad(x, (0, 0, 0, 0, 0, 8 - live))
    plain = nn.BatchNorm2d(8).train(training)
    plain.load_state_dict(bn.state_dict())
    want = functional.conv2d(functional.avg_pool2d(plain(full), 2), conv.weight, conv.bias)
    assert torch.allclose(shortcut(x), want, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("live", [2, 4, 8])
def test_binary_against_its_definition(live, training):
    shortcut = filled(build_shortcut("binary", 8, 16)).train(training)
    bn, conv = shortcut
    x = torch.randn(3, live, 6, 5)
    full = functional.pad(x, (0, 0, 0, 0, 0, 8 - live))
    plain = nn.BatchNorm2d(8).train(training)
    plain.load_state_dict(bn.state_dict())
    sign, beta = binarize_weight(conv.weight.detach())
    dots = functional.conv2d(signs(plain(full)), sign, stride=2)
    assert torch.equal(dots, dots.round())
    want = dots * beta[:, None, None]
    got = shortcut(x)
    assert got.shape == (3, 16, 3, 2)
    assert torch.allclose(got, want, atol=1e-5)
    assert (got < 0).any()  # no ReLU


def test_gradients_reach_the_input_and_the_weights_of_the_binary_shortcut():
    shortcut = build_shortcut("binary", 8, 16)
    x = torch.randn(3, 4, 6, 6, requires_grad=True)
    shortcut(x).pow(2).sum().backward()
    for grad in (x.grad, shortcut.conv.weight.grad, shortcut.bn.weight.grad):
        assert grad.isfinite().all()
        assert grad.any()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("zero_parts", "channels"),
    [
        ((), [0, 1, 2, 3, 4, 5, 6, 7] * 2),
        ((2, 3), [0, 1, 2, 3] * 4),
        ((1,), [0, 1, 4, 5, 6, 7] * 2 + [0, 1, 4, 5]),
        ((0, 1, 2), [6, 7] * 8),
    ],
)
def test_pool_repeats_the_live_channels(zero_parts, channels, training):
    shortcut = filled(build_shortcut("pool", 8, 16, zero_parts=frozenset(zero_parts)))
    shortcut.train(training)
    x = torch.randn(3, 8, 6, 4)
    for part in zero_parts:
        x[:, 2 * part : 2 * part + 2] = 0
    plain = nn.BatchNorm2d(8).train(training)
    plain.load_state_dict(shortcut.bn.state_dict())
    want = functional.avg_pool2d(plain(x), 2)[:, channels]
    short = x[:, : max(channels) + 1]  # a cell leaves zero parts at the end out
    assert torch.allclose(shortcut(short), want, atol=1e-6)
    assert shortcut[2].index == tuple(channels)


@pytest.mark.parametrize("kind", ["binary", "pool"])
def test_a_shortcut_of_nothing_but_zeros_is_not_computed(kind):
    assert not build_shortcut(kind, 8, 16, zero_parts=frozenset(range(4))).live
    network = build_network(NetworkConfig("n", 5, 4, NOTHING, image_size=8, shortcut=kind))
    assert not network.features(torch.randn(2, 3, 8, 8)).any()
    network(torch.randn(2, 3, 8, 8)).sum().backward()


@pytest.mark.parametrize("kind", SHORTCUTS)
@pytest.mark.parametrize("genotype", CELLS)
def test_zero_parts_are_those_that_are_zero(genotype, kind):
    config = NetworkConfig("z", 7, 4, genotype, image_size=8, shortcut=kind)
    network = filled(build_network(config))
    seen = []
    for cell, shape in list(zip(network.cells, (c.shape for c in network.cells[1:]), strict=False)):
        cell.register_forward_hook(lambda _, __, out, s=shape: seen.append((s.zero_parts, out)))
    network(torch.randn(4, 3, 8, 8))
    for zero_parts, out in seen:
        width = out.shape[1] if out.shape[1] < 4 else config.channels
        width *= 1 if out.shape[2] == 8 else 2 if out.shape[2] == 4 else 4
        parts = list(out.split(width, dim=1))
        live = {index for index, part in enumerate(parts) if part.any()}
        assert live == set(range(4)) - zero_parts


def constant_inputs(network, images):
    """Values of those input channels of binary units that are the same for all of the images."""
    found = []

    def note(unit, inputs):
        (x,) = inputs
        low, high = x.amin(dim=(0, 2, 3)), x.amax(dim=(0, 2, 3))
        found.extend(low[low == high].tolist())

    units = [m for m in network.modules() if isinstance(m, ConvUnit) and m.binary]
    handles = [unit.register_forward_pre_hook(note) for unit in units]
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    return found


def trained(config, images, labels):
    """Train for a few steps on random data and return the network."""
    torch.manual_seed(0)
    network = build_network(config)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    for step in range(48):
        part = slice(64 * (step % 4), 64 * (step % 4) + 64)
        loss = functional.cross_entropy(network(images[part]), labels[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


CONFIG = NetworkConfig("t", 6, 6, LATEST_CELL_ZEROISE, classes=4, image_size=8)


@pytest.fixture(scope="module")
def random_data():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(256) % 4
    means = torch.randn(4, 3, 8, 8, generator=generator)
    return means[labels] + torch.randn(256, 3, 8, 8, generator=generator), labels


@pytest.mark.parametrize("kind", SHORTCUTS)
def test_evaluation_agrees_with_training(kind, random_data):
    """The failure of the naive repetition: constants, whose signs differ between the two modes."""
    images, labels = random_data
    network = trained(replace(CONFIG, shortcut=kind), images, labels)
    assert not any(constant_inputs(network.eval(), images))
    with torch.no_grad():
        evaluated, in_training = network.eval()(images), network.train()(images)
    agreement = (evaluated.argmax(1) == in_training.argmax(1)).float().mean().item()
    assert agreement > 0.85
    for logits in (evaluated, in_training):
        assert (logits.argmax(1) == labels).float().mean().item() > 0.85


def test_repeating_zero_channels_too_would_make_constants(random_data, monkeypatch):
    naive = {"pool": lambda inputs, outputs, zero_parts, binary: NaiveShortcut(inputs, outputs)}
    monkeypatch.setattr(shortcuts, "_BUILDERS", naive)
    network = trained(replace(CONFIG, shortcut="pool"), *random_data)
    assert sum(value != 0 for value in constant_inputs(network.eval(), random_data[0])) > 20


@pytest.mark.parametrize("kind", SHORTCUTS)
def test_the_float_counterpart_has_the_same_shortcut(kind):
    config = replace(CONFIGS["Mini"], channels=4, shortcut=kind)
    binary, counterpart = build_network(config), build_network(config, binary=False)
    kinds = [
        [type(m) for m in network.modules() if isinstance(m, Shortcut)]
        for network in (binary, counterpart)
    ]
    assert len(kinds[0]) == 2
    assert kinds[0] == kinds[1]
    assert binary.state_dict().keys() == counterpart.state_dict().keys()
    logits = counterpart(torch.randn(2, 3, 16, 16))
    logits.sum().backward()
    assert logits.isfinite().all()
