"""Table 4: cells searched with and without the diversity regulariser."""

from __future__ import annotations

from bnas_deploy.experiments.budgets import float_cell_setup
from bnas_deploy.experiments.definition import TEST_ACCURACY, Cells, Experiment, Variant
from bnas_deploy.experiments.questions.table08 import NO_DIVERSITY, TABLE8
from bnas_deploy.experiments.running.same_runs import ablation

__all__ = ["TABLE4"]

DARTS_CELLS = {
    "darts-plain": ("DARTS, float, without diversity", "96.53"),
    "darts-diversity": ("DARTS, float, with diversity", "96.73"),
}


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    found = []
    for name, (label, paper) in DARTS_CELLS.items():
        cell = cells.get(name)
        setup = float_cell_setup(budget, cell, binary=False) if cell else None
        needs = f"cell {name}"
        found.append(Variant(name, label, setup, needs, paper={"test_accuracy": paper}))
    rows = {NO_DIVERSITY: ("BNAS, without diversity", "90.95"), "full": ("BNAS, with", "92.70")}
    for name, (label, paper) in rows.items():
        value = {"test_accuracy": paper}
        found.append(ablation(budget, cells, name, label=label, paper=value))
    return tuple(found)


TABLE4 = Experiment(
    name="table4",
    title="Searching with diversity",
    answers=("Table 4",),
    question="Does the diversity regulariser lead to a better cell?",
    metrics=(TEST_ACCURACY,),
    variants=_variants,
    seeds=TABLE8.seeds,
    notes="The cells come from searches (`bnas-search`); the BNAS rows are those of Table 8.",
)
