"""Which recipe gives most in a given time? Every one may cost the same; the paper does not ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bnas_deploy.experiments.budgets import SMOKE, SMOKE_SIDE, smoke_network
from bnas_deploy.experiments.definition import (
    TEST_ACCURACY,
    Cells,
    Experiment,
    Setup,
    Table,
    Variant,
)
from bnas_deploy.experiments.equal_cost import epochs_in, run_hours
from bnas_deploy.experiments.results import Results, percent, spread
from bnas_deploy.nn.config import get_config
from bnas_deploy.training.recipes.presets import differences
from bnas_deploy.training.recipes.recipe import RECIPES, Recipe

__all__ = ["HOURS", "RECIPE_QUESTION"]

HOURS = {"cpu": 1.0, "paper": 12.0}
"""Of one quiet core, for each run."""

IMAGES = 50_000
"""Of CIFAR-10, to train and choose with."""

NETWORK = replace(get_config("Mini"), shortcut="pool1x1")

BASE = Recipe(
    epochs=600, optimizer="adam", lr=0.004, schedule="cosine", batch=128, drop_path=0.0,
    holdout=0.02,
)  # fmt: skip
"""What the others differ from, in what their names say."""

CROPS = {"small_crop": 24, "small_crop_share": 0.75}
SGD = {"optimizer": "sgd", "lr": 0.08}

CHANGES: Mapping[str, Mapping[str, object]] = {
    "adam": {},
    "sgd": SGD,
    "paper": {**SGD, "lr": 0.05, "batch": 256, "schedule": "one-cycle"},
    "crops": CROPS,
    "crops-batch-256": {**CROPS, "batch": 256, "lr": 0.006},
    "crops-constant": {**CROPS, "schedule": "constant-cosine"},
    "crops-average": {**CROPS, "average": 0.5},
    "crops-stages": {**CROPS, "real_weights_share": 0.4},
    "crops-teacher": {**CROPS, "distill": 0.9},
    "all": {**CROPS, "average": 0.5, "distill": 0.9, "real_weights_share": 0.4},
}
LABELS = {
    "adam": "Adam, one cosine",
    "sgd": "SGD in place of Adam",
    "paper": "the paper's: SGD, one-cycle, batch 256",
    "crops": "smaller crops first",
    "crops-batch-256": "smaller crops, batch 256",
    "crops-constant": "smaller crops, constant rate and a cosine at the end",
    "crops-average": "smaller crops, averaged weights",
    "crops-stages": "smaller crops, real weights first",
    "crops-teacher": "smaller crops, a teacher",
    "all": "smaller crops, averages, two stages, a teacher",
}


def _recipe(budget: str, name: str) -> Recipe:
    if budget == "smoke":
        own = {**CHANGES[name], "batch": SMOKE.batch, "lr": SMOKE.lr}
        small = {"small_crop": SMOKE_SIDE // 2} if "small_crop" in own else {}
        return Recipe.from_dict({**own, **small}, SMOKE)
    recipe = Recipe.from_dict(dict(CHANGES[name]), BASE)
    return epochs_in(HOURS[budget], recipe, IMAGES, teacher=recipe.distill > 0)


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    network = smoke_network(NETWORK) if budget == "smoke" else NETWORK
    amp = "off" if budget == "smoke" else "bf16"
    return tuple(
        Variant(name, LABELS[name], Setup(network, _recipe(budget, name), amp=amp))
        for name in CHANGES
    )


def _tables(results: Results) -> list[Table]:
    rows = []
    for name, label in LABELS.items():
        recipe = Recipe.from_dict(results.setups[name]["recipe"])
        hours = "-"
        if results.budget in HOURS:
            hours = f"{run_hours(recipe, IMAGES, teacher=recipe.distill > 0):.2f}"
        took = [job.seconds / 3600 for job in results.of(name)]
        accuracies = results.values(name, TEST_ACCURACY.name)
        rows.append(
            (
                label,
                differences(replace(recipe, epochs=RECIPES["cifar10"].epochs), RECIPES["cifar10"]),
                f"{recipe.epochs}",
                hours,
                spread(took, "{:.2f}".format) if took else "-",
                ", ".join(str(job.seed) for job in results.of(name)) or "-",
                spread(accuracies, percent) if accuracies else "not run",
            )
        )
    heads = (
        *("recipe", "what it sets otherwise than the paper's", "epochs", "hours of a quiet core"),
        *("hours it took", "seeds", "test accuracy, %"),
    )
    return [Table(heads, tuple(rows))]


RECIPE_QUESTION = Experiment(
    name="recipes",
    title="Recipes of one cost",
    answers=("recipes",),
    question=(
        "The paper's recipe takes 600 epochs, a GPU's work. Which recipe gives most where there are"
        " some hours of a CPU? Every run may cost the same."
    ),
    metrics=(TEST_ACCURACY,),
    variants=_variants,
    seeds={"smoke": (0,), "cpu": (0, 1, 2), "paper": (0,)},
    notes=(
        "BNAS-Mini with `pool1x1`. Under `cpu` each run may cost one hour of one quiet core, under"
        " `paper` twelve. What an image costs at 32 and at 24 pixels, with a teacher, and in an"
        " evaluation was measured once and gives the number of epochs, so that runs can be"
        " repeated on any machine; the hours that a run took depend on what else the machine did."
        " A fiftieth of the training images chooses the epoch that ships. The hours in which the"
        " teacher was trained are not counted: one serves all runs."
    ),
    tables=_tables,
)
