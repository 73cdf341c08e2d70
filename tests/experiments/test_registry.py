"""Tests of the experiments' definitions: they are complete and do not contradict each other."""

from __future__ import annotations

import pytest

from bnas_deploy.errors import UsageError
from bnas_deploy.experiments.definition import BUDGETS, Experiment
from bnas_deploy.experiments.page.plots import PLOTS
from bnas_deploy.experiments.questions.table12 import separable_share
from bnas_deploy.experiments.registry import EXPERIMENTS, find
from bnas_deploy.networks.build import build_network
from bnas_deploy.nn.genotype import DARTS_V2, LATEST_CELL, LATEST_CELL_ZEROISE

TRAINED = [e for e in EXPERIMENTS.values() if isinstance(e, Experiment)]
CELLS = dict.fromkeys(
    ("no-diversity", "no-dilated", "separable", "darts-zeroise", "darts-plain", "darts-diversity"),
    LATEST_CELL,
)


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13])
def test_every_table_has_its_experiment(number):
    assert f"Table {number}" in find(f"table{number}").answers


@pytest.mark.parametrize("number", [2, 4, 9, 10])
def test_every_figure_has_its_experiment(number):
    experiment = find(f"Fig{number}")
    assert f"Fig. {number}" in experiment.answers
    assert experiment.pictures


def test_an_experiment_that_is_not_there():
    with pytest.raises(UsageError, match=r"unknown experiment 'table3'.*; choose one of shortcuts"):
        find("table3")


@pytest.mark.parametrize("experiment", TRAINED, ids=lambda e: e.name)
@pytest.mark.parametrize("budget", BUDGETS)
def test_definitions(experiment, budget):
    variants = experiment.variants(budget, CELLS)
    names = [variant.name for variant in variants]
    assert len(set(names)) == len(names)
    assert experiment.seeds[budget]
    assert all(picture.kind in PLOTS for picture in experiment.pictures)
    waiting = [v for v in variants if v.setup is None and not v.shipped]
    assert all(v.needs == "the budget paper" for v in waiting)
    without = experiment.variants(budget, {})
    assert [v.name for v in without] == names
    for with_cell, plain in zip(variants, without, strict=True):
        if plain.setup is None and with_cell.setup is not None:
            assert plain.needs.startswith("cell ")


@pytest.mark.parametrize("budget", BUDGETS)
def test_what_lies_in_one_folder_is_one_thing(budget):
    found = {}
    for experiment in TRAINED:
        for variant in experiment.variants(budget, CELLS):
            if variant.setup is not None:
                place = variant.home or experiment.name, variant.name
                assert found.setdefault(place, variant.setup) == variant.setup, place


@pytest.mark.parametrize("experiment", TRAINED, ids=lambda e: e.name)
def test_the_small_networks_can_be_built(experiment):
    for variant in experiment.variants("smoke", CELLS):
        if variant.setup is not None:
            network = build_network(variant.setup.network, binary=variant.setup.binary)
            assert network.config.image_size == 8


def test_the_shortcuts_recipe_on_a_cpu():
    (setup,) = {
        (s.network.layers, s.network.channels, s.recipe.epochs, s.recipe.batch, s.recipe.lr,
         s.recipe.drop_path, s.recipe.evaluate_every, s.amp, s.train_images)
        for s in (v.setup for v in find("shortcuts").variants("cpu", {}))
    }  # fmt: skip
    assert setup == (8, 8, 4, 128, 0.08, 0.0, 2, "bf16", None)


def test_share_of_separable_convolutions():
    assert separable_share(DARTS_V2)["normal"] == 0.625  # what Table 12 says of DARTS
    assert set(separable_share(LATEST_CELL_ZEROISE).values()) == {0.0}
