"""Table 12 and Fig. 2: cells found for float networks, binarized."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.experiments.budgets import ONE_SEED, float_cell_setup
from bnas_deploy.experiments.definition import (
    TEST_ACCURACY,
    TRAIN_ACCURACY,
    Cells,
    Experiment,
    Picture,
    Setup,
    Variant,
)
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import (
    DARTS_V2,
    GDAS_V1,
    LATEST_CELL_ZEROISE,
    SNAS_MILD,
    Genotype,
)

__all__ = ["TABLE12", "separable_share"]

SEPARABLE = "separable"
FLOAT_CELLS = {
    "darts": (DARTS_V2, "DARTS", "10.01", "62.50"),
    "snas": (SNAS_MILD, "SNAS", "41.72", "36.75"),
    "gdas": (GDAS_V1, "GDAS", "43.19", "36.75"),
}
"""Cells, name, the paper's test accuracy and share of separable convolutions."""


def separable_share(genotype: Genotype) -> dict[str, float]:
    """Return which share of the edges of each cell is a separable convolution, dilated ones not."""
    return {
        kind: sum("sep_conv" in name and "dil" not in name for name, _ in edges) / len(edges)
        for kind, edges in (("normal", genotype.normal), ("reduce", genotype.reduce))
    }


def _setup(budget: str, genotype: Genotype, *, skips: bool, centred: bool = False) -> Setup:
    setup = float_cell_setup(budget, genotype, skips=skips)
    network = setup.network
    assert isinstance(network, NetworkConfig)
    return replace(setup, network=replace(network, centre_depthwise=centred))


def _facts(genotype: Genotype | None, paper: str) -> dict[str, str]:
    share = separable_share(genotype) if genotype else {}
    ours = " / ".join(f"{100 * value:.1f}" for value in share.values())
    return {"Sep. Conv, paper, %": paper, "Sep. Conv, normal / reduction cell, %": ours or "-"}


def _float_cell(budget: str, name: str, *, centred: bool) -> Variant:
    genotype, label, accuracy, share = FLOAT_CELLS[name]
    return Variant(
        f"{name}-centred" if centred else name,
        f"{label}, binarized" + (", centred" if centred else ""),
        _setup(budget, genotype, skips=False, centred=centred),
        paper={"test_accuracy": accuracy},
        facts=_facts(genotype, share),
    )


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    cell = cells.get(SEPARABLE)
    with_separable = Variant(
        SEPARABLE,
        "BNAS-A with separable convolutions",
        _setup(budget, cell, skips=True) if cell else None,
        needs=f"cell {SEPARABLE}",
        paper={"test_accuracy": "89.66"},
        facts=_facts(cell, "12.50"),
    )
    bnas = Variant(
        "A-full" if budget == "paper" else "bnas",
        "BNAS-A",
        replace(_setup(budget, LATEST_CELL_ZEROISE, skips=True), gradients=budget == "paper"),
        home="table8" if budget == "paper" else "",
        paper={"test_accuracy": "92.70"},
        facts=_facts(LATEST_CELL_ZEROISE, "0.00"),
    )
    centred = (False, True)
    cells_of_floats = [_float_cell(budget, n, centred=c) for n in FLOAT_CELLS for c in centred]
    return (*cells_of_floats, with_separable, bnas)


TABLE12 = Experiment(
    name="table12",
    title="Float cells, binarized; separable convolutions",
    answers=("Table 12", "Fig. 2"),
    question="Do cells that were found for float networks work when they are binarized?",
    metrics=(TEST_ACCURACY, TRAIN_ACCURACY),
    variants=_variants,
    seeds=ONE_SEED,
    notes=(
        "Published cells in a template without inter-cell skips. *Centred* applies the release's"
        " rule for latent weights literally to depthwise convolutions too, which makes them zero"
        " (schemes.md): what the paper's collapse may come from. *With separable convolutions*"
        " needs the cell of `bnas-search --separable`. The share of separable convolutions is that"
        " of the edges, dilated ones (separable, too, in DARTS's space) not counted; the paper's"
        " are those of the normal cells, save GDAS's."
    ),
    pictures=(
        Picture(
            "fig2",
            "curves",
            "Fig. 2: accuracy while training. In the paper DARTS does not train at all, and SNAS"
            " and GDAS fall back after about 40%.",
        ),
    ),
)
