"""Table 8 and Figs. 4, 9, 10: networks without skips, Zeroise or diversity."""

from __future__ import annotations

from bnas_deploy.experiments.budgets import cell_setup
from bnas_deploy.experiments.definition import (
    TEST_ACCURACY,
    TRAIN_ACCURACY,
    Cells,
    Experiment,
    Picture,
    Variant,
)
from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE

__all__ = ["NO_DIVERSITY", "TABLE8"]

NO_DIVERSITY = "no-diversity"
"""Name of the cell that a search without the regulariser found (`bnas-search --diversity 0`)."""

LABELS = {
    "full": "full",
    "no-skip": "No Skip",
    "no-zeroise": "No Zeroise",
    NO_DIVERSITY: "No Diversity",
}
PAPER = {
    "A": {"full": "92.70", "no-skip": "61.23", "no-zeroise": "89.47", NO_DIVERSITY: "90.95"},
    "B": {"full": "93.76", "no-skip": "67.15", "no-zeroise": "91.69", NO_DIVERSITY: "91.55"},
    "C": {"full": "94.43", "no-skip": "70.58", "no-zeroise": "88.74", NO_DIVERSITY: "92.66"},
}


def _variant(budget: str, size: str, ablation: str, cells: Cells) -> Variant:
    genotypes = {"no-zeroise": LATEST_CELL, NO_DIVERSITY: cells.get(NO_DIVERSITY)}
    genotype = genotypes.get(ablation, LATEST_CELL_ZEROISE)
    full_size = budget == "paper"
    values = [f"{PAPER[name][ablation]} ({name})" for name in PAPER]
    setup = None
    if genotype is not None:
        skips = ablation != "no-skip"
        setup = cell_setup(budget, genotype, full=size, skips=skips, gradients=True)
    return Variant(
        f"{size}-{ablation}" if full_size else ablation,
        f"BNAS-{size}, {LABELS[ablation]}" if full_size else LABELS[ablation],
        setup,
        needs=f"cell {NO_DIVERSITY}" if ablation == NO_DIVERSITY else "",
        paper={"test_accuracy": PAPER[size][ablation] if full_size else ", ".join(values)},
    )


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    sizes = tuple(PAPER) if budget == "paper" else ("A",)
    return tuple(_variant(budget, size, name, cells) for size in sizes for name in LABELS)


TABLE8 = Experiment(
    name="table8",
    title="Ablations",
    answers=("Table 8", "Fig. 4", "Fig. 9", "Fig. 10"),
    question="What do inter-cell skips, Zeroise and the diversity regulariser contribute?",
    metrics=(TEST_ACCURACY, TRAIN_ACCURACY),
    variants=_variants,
    seeds={"smoke": (0,), "cpu": (0, 1, 2), "paper": (0,)},
    notes=(
        "*No Zeroise* is the published cell of γ = 3. *No Diversity* needs the cell of a search"
        " without the regulariser. A gradient's magnitude is the sum of |gradient| over the weights"
        " of a convolution, averaged over the steps of an epoch."
    ),
    pictures=(
        Picture(
            "fig9",
            "curves",
            "Fig. 9: accuracy while training, with and without inter-cell skips. In the paper the"
            " networks without them collapse within 600 epochs.",
            ("full", "no-skip", "A-full", "A-no-skip", "B-no-skip", "C-no-skip"),
        ),
        Picture(
            "fig4",
            "gradient_layers",
            "Figs. 4 and 10: magnitude of the gradients of each convolution in the last epoch; the"
            " paper's, at epoch 100, are spiky without inter-cell skips. Convolutions whose"
            " output is unused are left out.",
            ("full", "no-skip", "A-full", "A-no-skip", "B-no-skip", "C-no-skip"),
        ),
        Picture(
            "fig10",
            "gradient_epochs",
            "Figs. 4 and 10: the same, summed over all convolutions, by epoch.",
            ("full", "no-skip", "A-full", "A-no-skip", "B-no-skip", "C-no-skip"),
        ),
    ),
)
