"""Table 11: a cell from a search space without dilated convolutions."""

from __future__ import annotations

from bnas_deploy.experiments.budgets import cell_setup
from bnas_deploy.experiments.definition import TEST_ACCURACY, Cells, Experiment, Variant
from bnas_deploy.experiments.questions.table08 import TABLE8
from bnas_deploy.experiments.running.same_runs import ablation

__all__ = ["TABLE11"]

NO_DILATED = "no-dilated"


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    cell = cells.get(NO_DILATED)
    return (
        Variant(
            NO_DILATED,
            "BNAS-A without dilated convolutions",
            cell_setup(budget, cell) if cell else None,
            needs=f"cell {NO_DILATED}",
            paper={"test_accuracy": "92.22"},
        ),
        ablation(budget, cells, "full", label="BNAS-A", paper={"test_accuracy": "92.70"}),
    )


TABLE11 = Experiment(
    name="table11",
    title="Without dilated convolutions",
    answers=("Table 11",),
    question="Do dilated convolutions in the search space matter?",
    metrics=(TEST_ACCURACY,),
    variants=_variants,
    seeds=TABLE8.seeds,
    notes="The cell comes from `bnas-search --no-dilated`; the other row is that of Table 8.",
)
