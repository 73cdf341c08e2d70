"""Tests of the question of recipes: equal cost, what waits for a teacher, and the table."""

from __future__ import annotations

import pytest

from bnas_deploy.experiments.equal_cost import SECONDS, epoch_seconds, epochs_in, run_hours
from bnas_deploy.experiments.questions.recipes import HOURS, IMAGES, RECIPE_QUESTION
from bnas_deploy.experiments.registry import find
from bnas_deploy.training.recipes.recipe import Recipe


def test_what_an_epoch_costs():
    plain = Recipe(epochs=10, holdout=0.1, small_crop=24, small_crop_share=0.5)
    training, teacher = SECONDS["training"], SECONDS["teacher"]
    evaluation = 100 * SECONDS["evaluation"][32]
    for epoch, size in ((0, 24), (4, 24), (5, 32), (9, 32)):
        alone, taught = (
            epoch_seconds(plain, 1000, epoch=epoch, teacher=with_it) for with_it in (False, True)
        )
        assert alone == pytest.approx(900 * training[size] + evaluation)
        assert taught - alone == pytest.approx(900 * teacher[size])
    averaged = Recipe(epochs=10, holdout=0.1, average=0.5)
    cost = epoch_seconds(averaged, 1000, epoch=0, teacher=False)
    assert cost == pytest.approx(900 * training[32] + 2 * evaluation + 4096 * evaluation / 100)


@pytest.mark.parametrize("budget", HOURS)
def test_every_recipe_uses_the_hours_up(budget):
    for variant in RECIPE_QUESTION.variants(budget, {}):
        recipe = variant.setup.recipe
        with_teacher = recipe.distill > 0
        longer = Recipe.from_dict({"epochs": recipe.epochs + 1}, recipe)
        assert run_hours(recipe, IMAGES, teacher=with_teacher) <= HOURS[budget]
        assert run_hours(longer, IMAGES, teacher=with_teacher) > HOURS[budget]


def test_there_is_one_epoch_at_least():
    assert epochs_in(0.0, Recipe(), 50_000).epochs == 1


def test_recipes_with_a_teacher_wait_for_one(smoke, tmp_path):
    results = smoke("recipes", tmp_path, only=("crops-average",))
    statuses = {job.variant: (job.status, job.reason) for job in results.jobs}
    assert statuses["crops-average"] == ("done", "")
    assert statuses["sgd"] == ("not run", "left out")
    assert statuses["all"] == ("not run", "needs a teacher (--teacher MODEL)")
    (table,) = find("recipes").tables(results)
    rows = {row[0]: row for row in table.rows}
    done, waiting = (
        rows[n] for n in ("smaller crops, averaged weights", "smaller crops, a teacher")
    )
    assert "average 0.5" in done[1]
    assert (done[2], done[5], waiting[5], waiting[6]) == ("2", "0", "-", "not run")
    teacher = tmp_path / "recipes-smoke" / "crops-average-0" / "model.pt"
    results = smoke("recipes", tmp_path, only=("crops-teacher",), teacher=teacher)
    reasons = {job.variant: job.reason for job in results.jobs}
    assert reasons["all"] == "left out"
