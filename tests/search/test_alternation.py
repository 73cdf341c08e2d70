"""Tests of the alternating steps: on toys whose right answer is known, and on the supernet."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from bnas_deploy.errors import TrainingError
from bnas_deploy.search.alternation import Alternation, SearchNetwork, weight_rate
from bnas_deploy.search.objective import mean_entropy
from bnas_deploy.search.recipe import SearchRecipe


class Toy(SearchNetwork):
    """Two primitives compete: `memory` knows each sample by its number, `rule` reads a feature.

    Inputs are (number, feature) pairs; memory fits the samples it has seen, whatever their labels.
    """

    def __init__(self, samples):
        super().__init__()
        kinds = ("normal", "reduce")
        self.alphas = nn.ParameterDict({kind: nn.Parameter(torch.zeros(1, 2)) for kind in kinds})
        self.memory = nn.Parameter(torch.zeros(samples, 2))
        self.rule = nn.Parameter(torch.zeros(1, 2))

    def forward(self, inputs):
        p = functional.softmax(self.alphas["normal"], dim=1)[0]
        remembered = self.memory[inputs[:, 0].long()]
        return p[0] * remembered + p[1] * inputs[:, 1:] * self.rule

    def probabilities(self):
        return functional.softmax(self.alphas["normal"].detach(), dim=1)[0].tolist()


def halves():
    """40 samples each; the feature's sign is the label, but for a quarter of the first half."""
    generator = torch.Generator().manual_seed(0)
    feature = torch.randn(80, 1, generator=generator).sign()
    labels = (feature[:, 0] > 0).long()
    labels[:40:4] = 1 - labels[:40:4]
    inputs = torch.cat([torch.arange(80.0)[:, None], feature], 1)
    return (inputs[:40], labels[:40]), (inputs[40:], labels[40:])


RECIPE = SearchRecipe(
    epochs=1000, lr=0.5, min_lr=0.5, weight_decay=0.0, arch_lr=0.02, diversity=0.0
)


def search(first, second, steps=150):
    """Weights learn from the first set, the architecture from the second."""
    net = Toy(80)
    alternation = Alternation(net, RECIPE, net)
    for step in range(steps):
        alternation.architecture_step(*second, epoch=0, step=step)
        alternation.weight_step(*first, epoch=0, step=step)
    return net.probabilities()


def test_on_the_other_half_what_generalises_wins():
    weights, architecture = halves()
    memory, rule = search(weights, architecture)
    assert rule > 0.7
    assert memory == pytest.approx(1 - rule)


def test_on_the_same_half_what_remembers_would_win():
    weights, _ = halves()
    memory, rule = search(weights, weights)
    assert memory > 0.7
    assert rule < 0.3


def test_diversity_keeps_the_choice_open_early_and_not_late():
    (weights, architecture), found = halves(), {}
    for epoch in (0, 1000):
        net = Toy(80)
        recipe = SearchRecipe(**{**RECIPE.to_dict(), "diversity": 5.0, "epochs": 2000})
        alternation = Alternation(net, recipe, net)
        for step in range(100):
            alternation.architecture_step(*architecture, epoch=epoch, step=step)
            alternation.weight_step(*weights, epoch=epoch, step=step)
        found[epoch] = mean_entropy([net.alphas["normal"]]).item()
    assert found[0] > 0.68
    assert found[1000] < 0.6


def test_the_first_architecture_step_by_hand():
    # Logits 0 and 0 whatever p: no gradient, so Adam moves by the decay of alpha alone.
    net = Toy(4)
    with torch.no_grad():
        net.memory[:, 1] = 2.0
    recipe = SearchRecipe(arch_lr=0.01, diversity=0.0, arch_weight_decay=0.0)
    inputs, labels = torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([1, 1])
    loss, correct = Alternation(net, recipe, net).architecture_step(inputs, labels, epoch=0, step=0)
    # p = 1/2 each: logits (0, 1), cross-entropy log(1 + e^-1); Adam's first step is its rate.
    assert loss == pytest.approx(0.3132617)
    assert correct == 2
    assert net.alphas["normal"].tolist() == [pytest.approx([0.01, -0.01], rel=1e-4)]
    assert net.alphas["reduce"].tolist() == [[0.0, 0.0]]


def test_the_first_weight_step_by_hand():
    net = Toy(2)
    recipe = SearchRecipe(lr=0.1, min_lr=0.1, weight_decay=0.0)
    inputs, labels = torch.tensor([[1.0, 3.0]]), torch.tensor([0])
    Alternation(net, recipe, net).weight_step(inputs, labels, epoch=0, step=0)
    # d loss / d logits = (-1/2, 1/2); p = 1/2; the feature is 3.
    assert net.memory.tolist() == [[0.0, 0.0], pytest.approx([0.025, -0.025])]
    assert net.rule.tolist() == [pytest.approx([0.075, -0.075])]


def test_weight_decay_by_hand():
    net = Toy(1)
    with torch.no_grad():
        net.memory[:] = 1.0
    recipe = SearchRecipe(lr=0.5, min_lr=0.5, weight_decay=0.25)
    inputs, labels = torch.tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1])
    Alternation(net, recipe, net).weight_step(inputs, labels, epoch=0, step=0)
    assert net.memory.tolist() == [pytest.approx([0.875, 0.875])]


def test_each_step_moves_its_own_parameters_only(make_searcher):
    searcher = make_searcher()
    net = searcher.supernet.train()
    (architecture, weights) = next(searcher.halves.batches(4, seed=0, epoch=0))

    def copies():
        return {name: p.detach().clone() for name, p in net.named_parameters()}

    def moved(before):
        return {name for name, p in net.named_parameters() if not torch.equal(p, before[name])}

    alphas = {"alphas.normal", "alphas.reduce"}
    before = copies()
    searcher.alternation.architecture_step(*architecture, epoch=0, step=0)
    assert moved(before) == alphas
    before = copies()
    searcher.alternation.weight_step(*weights, epoch=0, step=0)
    assert moved(before) == set(before) - alphas


def test_the_learning_rate_is_a_cosine_over_the_epochs():
    recipe = SearchRecipe(epochs=50)
    assert weight_rate(recipe, 0) == 0.025
    assert weight_rate(recipe, 25) == pytest.approx(0.013)
    assert weight_rate(recipe, 50) == pytest.approx(0.001)


@pytest.mark.parametrize("kind", ["architecture", "weight"])
def test_a_loss_that_is_not_a_number_names_step_and_layer(make_searcher, kind):
    searcher = make_searcher()
    searcher.supernet.train().cells[1].preprocess1.conv.weight.data[0] = float("nan")
    (images, labels), _ = next(searcher.halves.batches(4, seed=0, epoch=0))
    with pytest.raises(TrainingError) as info:
        getattr(searcher.alternation, f"{kind}_step")(images, labels, epoch=2, step=6)
    assert f"nan in the {kind} step of epoch 3, step 7" in str(info.value)
    assert "first not finite: the output of cells.1.preprocess1" in str(info.value)
    assert "(cells.1.preprocess1.op.0.weight is not finite)" in str(info.value)


def test_a_gradient_that_is_not_finite_changes_nothing():
    net = Toy(2)
    with torch.no_grad():
        net.memory[:] = 0.0
    net.memory.register_hook(lambda gradient: gradient * float("inf"))
    inputs, labels = torch.tensor([[1.0, 3.0]]), torch.tensor([0])
    with pytest.raises(TrainingError, match="a gradient is not finite in the weight step of epoch"):
        Alternation(net, RECIPE, net).weight_step(inputs, labels, epoch=0, step=0)
    assert not net.memory.any()
    assert not net.rule.any()
