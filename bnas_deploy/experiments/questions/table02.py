"""Table 2: Zeroise layers kept or replaced, in a float and in a binary network."""

from __future__ import annotations

from bnas_deploy.experiments.budgets import float_cell_setup
from bnas_deploy.experiments.definition import (
    TEST_ACCURACY,
    TRAIN_ACCURACY,
    Cells,
    Experiment,
    Variant,
)
from bnas_deploy.experiments.questions.table08 import TABLE8
from bnas_deploy.experiments.running.same_runs import ablation
from bnas_deploy.nn.genotype import DARTS_V2

__all__ = ["TABLE2"]

DARTS_ZEROISE = "darts-zeroise"


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    kept = cells.get(DARTS_ZEROISE)
    return (
        Variant(
            "darts-float",
            "DARTS, float, without Zeroise",
            float_cell_setup(budget, DARTS_V2, binary=False),
            paper={"train_accuracy": "99.18", "test_accuracy": "97.45"},
        ),
        Variant(
            DARTS_ZEROISE,
            "DARTS, float, with Zeroise",
            float_cell_setup(budget, kept, binary=False) if kept else None,
            needs=f"cell {DARTS_ZEROISE}",
            paper={"train_accuracy": "35.64", "test_accuracy": "94.43"},
        ),
        ablation(
            budget, cells, "no-zeroise", label="BNAS, binary, without Zeroise",
            paper={"train_accuracy": "93.41", "test_accuracy": "89.47"},
        ),
        ablation(
            budget, cells, "full", label="BNAS, binary, with Zeroise",
            paper={"train_accuracy": "97.46", "test_accuracy": "92.70"},
        ),
    )  # fmt: skip


TABLE2 = Experiment(
    name="table2",
    title="Zeroise layers, kept or replaced",
    answers=("Table 2",),
    question="Do Zeroise layers in the final cell help a binary network, and a float one?",
    metrics=(TRAIN_ACCURACY, TEST_ACCURACY),
    variants=_variants,
    seeds=TABLE8.seeds,
    notes=(
        "The binary rows are those of Table 8. DARTS's cell with its Zeroise layers was not"
        " published: give one as a file. The float network has the stem and the order of layers of"
        " BNAS."
    ),
)
