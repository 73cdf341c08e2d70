"""Tests of recipes and schedules."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bnas_deploy.errors import ConfigError
from bnas_deploy.training.recipes.recipe import RECIPES, Recipe, read_recipe
from bnas_deploy.training.recipes.schedule import drop_path, one_cycle, rate_and_momentum
from bnas_deploy.training.run.progress import Progress, done


def test_the_defaults_are_the_papers():
    r = Recipe()
    assert (r.epochs, r.batch, r.lr, r.momentum, r.weight_decay, r.drop_path) == (
        *(600, 256, 0.05, 0.9),
        *(3e-6, 0.2),
    )
    imagenet = RECIPES["imagenet"]
    assert (imagenet.epochs, imagenet.batch, imagenet.lr, imagenet.label_smoothing) == (
        *(250, 512),
        *(0.1, 0.1),
    )


def test_round_trip():
    recipe = Recipe(epochs=3, schedule="cosine-restarts", flip=False)
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_fields_left_out_come_from_the_base():
    assert Recipe.from_dict({"lr": 1}, RECIPES["imagenet"]) == replace(RECIPES["imagenet"], lr=1)


def test_an_unknown_key_is_named_with_the_known_ones():
    with pytest.raises(
        ConfigError, match=r"unknown keys epoch \(did you mean epochs\?\); known are epochs, hours"
    ):
        Recipe.from_dict({"epoch": 3})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("epochs", True),
        ("batch", -1),
        ("lr", -0.1),
        ("lr", "fast"),
        ("lr", float("nan")),
        ("drop_path", 1.5),
        ("label_smoothing", -1),
        ("schedule", "linear"),
        ("flip", 1),
        ("crop_padding", -1),
    ],
)
def test_impossible_values(field, value):
    with pytest.raises(ConfigError, match=f"recipe: {field}"):
        Recipe(**{field: value})


def test_a_json_file(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"epochs": 7}))
    assert read_recipe(path) == Recipe(epochs=7)


def test_a_toml_file(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text("epochs = 7\nflip = false\n")
    assert read_recipe(path) == Recipe(epochs=7, flip=False)


@pytest.mark.parametrize(("name", "text"), [("r.json", "{"), ("r.toml", "= 3"), ("r.json", "[1]")])
def test_a_file_that_is_no_recipe(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match="recipe"):
        read_recipe(tmp_path / name)


def test_a_missing_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read as a recipe"):
        read_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("progress", "share", "momentum"),
    [
        (0.0, 0.05, 0.95),
        (0.45, 1.0, 0.85),
        (0.225, 0.525, 0.9),
        (0.675, 0.525, 0.9),
        (0.9, 0.05, 0.95),
        (0.95, (0.05 + 0.0005) / 2, 0.95),
        (1.0, 0.0005, 0.95),
    ],
)
def test_one_cycle(progress, share, momentum):
    rate, got = one_cycle(Recipe(lr=2.0), progress)
    assert rate == pytest.approx(2.0 * share)
    assert got == pytest.approx(momentum)


def test_one_cycle_over_the_steps_of_a_run():
    recipe = Recipe(lr=1.0)
    rates = [rate_and_momentum(recipe, step / 99)[0] for step in range(100)]
    assert rates[0] == pytest.approx(0.05)
    assert rates[-1] == pytest.approx(0.0005)
    peak = rates.index(max(rates))
    assert 43 <= peak <= 46
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


def test_a_run_of_one_step_has_a_rate():
    recipe = Recipe(epochs=1)
    assert rate_and_momentum(recipe, done(recipe, Progress(), 1))[0] > 0


def test_cosine_with_restarts():
    recipe = Recipe(lr=1.0, schedule="cosine-restarts", restart_epochs=2)
    rates = [rate_and_momentum(recipe, 0.0, step / 5)[0] for step in range(20)]
    assert rates[0] == rates[10] == 1.0
    assert rates[5] == rates[15] == pytest.approx(0.5)
    assert rates[9] < 0.05


def test_drop_path_grows_linearly():
    recipe = Recipe(epochs=10, drop_path=0.2)
    assert [drop_path(recipe, epoch / 10) for epoch in (0, 5)] == pytest.approx([0, 0.1])


@pytest.mark.parametrize("field", ["epochs", "batch", "lr", "crop_padding"])
def test_absurd_numbers(field):
    with pytest.raises(ConfigError, match=f"{field} must be from . to "):
        Recipe(**{field: 10**400})


def test_a_file_nested_without_end(tmp_path):
    (tmp_path / "r.json").write_text("[" * 10**5, encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read as a recipe"):
        read_recipe(tmp_path / "r.json")


def test_a_number_that_python_does_not_write():
    with pytest.raises(ConfigError, match=r"epochs must be from .* got a int of too many digits"):
        Recipe(epochs=16**4000)


def test_constant_cosine_rises_stays_and_falls_to_nothing():
    recipe = Recipe(schedule="constant-cosine", lr=2.0, epochs=10, warmup_epochs=2, decay_share=0.4)
    rates = [rate_and_momentum(recipe, e / 10, e) for e in (0.0, 1.0, 2.0, 5.9, 8.0, 10.0)]
    assert [rate for rate, _ in rates] == pytest.approx([0.0, 1.0, 2.0, 2.0, 1.0, 0.0])
    assert {momentum for _, momentum in rates} == {recipe.momentum}
    assert rate_and_momentum(replace(recipe, warmup_epochs=0), 0.0)[0] == 2.0
    assert rate_and_momentum(replace(recipe, decay_share=0), 1.0, 10.0)[0] == 2.0


def test_what_constant_cosine_did_before_the_end_does_not_depend_on_the_length():
    short, long = (Recipe(schedule="constant-cosine", epochs=epochs) for epochs in (100, 1000))
    for epoch in (0.0, 0.25, 0.5, 1.0, 30.0, 69.9):
        rates = {rate_and_momentum(r, epoch / r.epochs, epoch) for r in (short, long)}
        assert len(rates) == 1
