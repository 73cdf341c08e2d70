"""Tests of a first stage with binary activations and real weights."""

from __future__ import annotations

import pytest
import torch
from support.small_backbones import SMALL, small_images, small_network
from torch.nn import functional

from bnas_deploy.backbones.schemes.base import SchemeConv2d
from bnas_deploy.errors import UsageError
from bnas_deploy.nn.layers import BinaryConv2d, LatentConv2d
from bnas_deploy.nn.quantize import constrain_weight
from bnas_deploy.training.recipes.recipe import Recipe
from bnas_deploy.training.recipes.schedule import has_real_weights
from bnas_deploy.training.run.average import averaged


class Stages:
    """Note, for each epoch, how training passes compute."""

    def __init__(self, trainer):
        self.seen = []
        layers = [m for m in trainer.network.modules() if isinstance(m, LatentConv2d)]
        self.flags = lambda: {layer.real_weights for layer in layers}

    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        self.seen.append(self.flags())


@pytest.mark.parametrize(("share", "first"), [(0.5, 2), (0.4, 2), (0.0, 0), (1.0, 4)])
def test_the_first_epochs_have_real_weights(make_trainer, share, first):
    recipe = Recipe(epochs=4, real_weights_share=share)
    assert [has_real_weights(recipe, e / 4) for e in range(4)] == [e < first for e in range(4)]


def test_a_run_changes_over(make_trainer):
    trainer = make_trainer(epochs=2, real_weights_share=0.5)
    stages = Stages(trainer)
    assert trainer.run(stages)
    assert stages.seen == [{True}, {False}]


def test_a_layer_computes_with_its_latent_weight_in_training_alone():
    torch.manual_seed(0)
    layer = BinaryConv2d(4, 3, 3)
    x = torch.randn(2, 4, 8, 8).sign()
    latent = constrain_weight(layer.weight.detach())
    binary = layer.eval()(x)
    layer.real_weights = True
    assert torch.equal(layer(x), binary)
    y = layer.train()(x)
    torch.testing.assert_close(y, functional.conv2d(x, latent))
    y.sum().backward()
    wanted = x.unfold(2, 6, 1).unfold(3, 6, 1).sum(dim=(0, 4, 5)).expand(3, 4, 3, 3)
    torch.testing.assert_close(layer.weight.grad, wanted)


@pytest.mark.parametrize("name", SMALL)
def test_every_scheme_has_a_first_stage(name):
    network = small_network(name)
    images = small_images(network, 4)
    with torch.no_grad():
        binary = network(images)
    for module in network.modules():
        if isinstance(module, SchemeConv2d):
            module.real_weights = True
    with torch.no_grad():
        assert torch.equal(network(images), binary)
    network.train()(images).sum().backward()
    for module in network.modules():
        if isinstance(module, SchemeConv2d):
            assert module.weight.grad is not None


def test_statistics_of_averages_are_those_of_the_binary_network(make_trainer):
    trainer = make_trainer(epochs=1, real_weights_share=1.0, average=0.5)
    stages = Stages(trainer)
    trainer.run(stages)
    assert stages.seen == [{False}]
    trainer.computation.set_real_weights(True)
    with averaged(trainer):
        found = {n: b.clone() for n, b in trainer.network.named_buffers() if "running" in n}
    for name, value in found.items():
        assert torch.equal(value, trainer.best[name]), name


def test_a_float_network_has_no_second_stage(make_trainer):
    with pytest.raises(UsageError, match="real weights throughout"):
        make_trainer(binary=False, real_weights_share=0.5)
