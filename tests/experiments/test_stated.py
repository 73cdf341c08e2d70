"""Sentences that state a budget, for networks of both kinds."""

from __future__ import annotations

import pytest

from bnas_deploy.experiments.registry import find
from bnas_deploy.experiments.results import Results
from bnas_deploy.experiments.stated import budget_lines


def lines(experiment, budget):
    setups = {
        variant.name: {
            "network": variant.setup.network.to_dict(),
            "recipe": variant.setup.recipe.to_dict(),
        }
        for variant in find(experiment).variants(budget, {})
        if variant.setup is not None
    }
    return budget_lines(Results(experiment, budget, "today", {}, {}, setups, (), {}))


@pytest.mark.parametrize(
    ("experiment", "sentence"),
    [
        (
            "table8",
            "- 8 cells, 8 channels; 4 epochs, batch 128, one-cycle learning rate up",
        ),
        ("table1", "- 3 layers, 32 channels; 2 epochs"),
        ("backbones", "- backbones of published depth, 16 channels; 4 epochs, batch 128"),
        ("frontier", "- a float resnet, blocks a stage: 3, 16 channels; 100000 epochs, batch 128"),
        ("backbones", "- at most 3 blocks a stage, 8 channels; 4 epochs"),
    ],
)
def test_networks_and_recipes(experiment, sentence):
    found = lines(experiment, "cpu")
    assert any(line.startswith(sentence) for line in found)
    assert len(set(found)) == len(found) <= 16


def test_a_training_by_the_clock_has_hours():
    (variant, *_) = find("frontier").variants("cpu", {})
    setup = {
        "network": variant.setup.network.to_dict(),
        "recipe": {**variant.setup.recipe.to_dict(), "hours": 1.5},
    }
    found = budget_lines(Results("frontier", "cpu", "today", {}, {}, {"a": setup}, (), {}))
    assert found[0].startswith("- 10 cells, 24 channels; 1.5 h, batch 128")
