"""Tables 5, 10 and 13: what networks cost, by arithmetic alone."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy import cost
from bnas_deploy.experiments.definition import Computed, Table
from bnas_deploy.nn.config import CONFIGS, NetworkConfig
from bnas_deploy.nn.genotype import LATEST_CELL, LATEST_CELL_ZEROISE

__all__ = ["TABLE5", "TABLE10", "TABLE13"]

PAPER_CONFIGS = {
    "Mini": (10, 24, 1), "A": (20, 36, 1), "B": (12, 64, 1), "C": (16, 108, 1), "D": (12, 64, 3),
    "E": (12, 68, 3), "F": (15, 68, 3), "G": (11, 74, 3), "H": (16, 128, 3),
}  # fmt: skip
"""Table 5: cells, channels, γ."""

PAPER_FLOPS = {
    "Mini": 0.04, "A": 0.14, "B": 0.27, "C": 0.90,
    "D": 1.48, "E": 1.63, "F": 1.78, "G": 1.93, "H": 6.56,
}  # fmt: skip
"""Tables 6, 7, 10 and 13, in 1e8; A from Table 10."""

GAMMAS = {LATEST_CELL_ZEROISE: 1, LATEST_CELL: 3}

PAPER_TABLE10 = {"w/o Zeroise": (0.36, 31.79, 58.01), "w/ Zeroise": (0.14, 91.06, 149.14)}
PAPER_TABLE13 = {
    "D": (1.48, 13.91, 20.85), "E": (1.63, 14.51, 21.15), "F": (1.78, 30.37, 24.29),
    "G": (1.93, 14.85, 19.34), "H": (6.56, 21.75, 24.81),
}  # fmt: skip
"""FLOPs in 1e8, memory savings, inference speed-up."""


def _flops(config: NetworkConfig, *, full: bool = False) -> float:
    return (cost.full_flops(config) if full else cost.paper_flops(config)) / 1e8


def _parameters(config: NetworkConfig) -> int:
    return cost.memory_bits(config, binary=False, full=True) // 32


def _table5() -> list[Table]:
    rows = []
    for name, config in CONFIGS.items():
        ours = (config.layers, config.channels, GAMMAS[config.genotype])
        rows.append(
            (
                f"BNAS-{name}",
                " / ".join(map(str, PAPER_CONFIGS[name])),
                " / ".join(map(str, ours)),
                f"{PAPER_FLOPS[name]:.2f}",
                f"{_flops(config):.3f}",
                f"{_flops(config, full=True):.3f}",
                f"{_parameters(config):,}",
            )
        )
    heads = (
        *("network", "cells / channels / γ, paper", "ours", "FLOPs ×10⁸, paper"),
        *("ours, paper's accounting", "ours, all counted", "parameters"),
    )
    return [Table(heads, tuple(rows))]


def _comparison(
    name: str, config: NetworkConfig, over: NetworkConfig, paper: tuple[float, float, float]
) -> tuple[str, ...]:
    flops, saving, speedup = paper
    return (
        *(name, f"{flops:.2f}", f"{_flops(config):.3f}", f"{_flops(config, full=True):.3f}"),
        f"{saving:.2f}×",
        f"{cost.memory_saving(config, over=over):.2f}×",
        f"{cost.memory_saving(config, over=over, full=True):.2f}×",
        f"{speedup:.2f}×",
        f"{cost.speedup(config, over=over):.2f}×",
        f"{cost.speedup(config, over=over, full=True):.2f}×",
    )


HEADS = (
    *("network", "FLOPs ×10⁸, paper", "ours", "all counted"),
    *("memory, paper", "ours", "all counted"),
    *("speed-up, paper", "ours", "all counted"),
)


def _table10() -> list[Table]:
    over = replace(CONFIGS["A"], genotype=LATEST_CELL)
    networks = {"w/o Zeroise": over, "w/ Zeroise": CONFIGS["A"]}
    rows = [
        _comparison(f"BNAS-A {name}", config, over, PAPER_TABLE10[name])
        for name, config in networks.items()
    ]
    return [Table(HEADS, tuple(rows))]


def _table13() -> list[Table]:
    rows = [
        _comparison(f"BNAS-{name}", CONFIGS[name], CONFIGS[name], paper)
        for name, paper in PAPER_TABLE13.items()
    ]
    return [Table(HEADS, tuple(rows))]


ACCOUNTINGS = (
    "*Ours* is the paper's accounting: a binary multiply-accumulate is 1/64 FLOP, the shortcuts of"
    " reduction cells (full-precision 2×2 convolutions) and BatchNorm are left out. *All counted*"
    " includes them."
)

TABLE5 = Computed(
    "table5",
    "Configurations",
    ("Table 5",),
    "What are the nine networks, and what does an image cost?",
    _table5,
    f"{ACCOUNTINGS} FLOPs of the paper are those of its Tables 6, 7 and 10.",
)

TABLE10 = Computed(
    "table10",
    "Memory and speed-up with and without Zeroise",
    ("Table 10",),
    "What do Zeroise layers save?",
    _table10,
    f"The figures are relative to float BNAS-A without Zeroise, as in the paper. {ACCOUNTINGS}"
    " Accuracies are in Table 8's section.",
)

TABLE13 = Computed(
    "table13",
    "Memory and speed-up of the networks for ImageNet",
    ("Table 13",),
    "How much smaller and cheaper are D to H than their float counterparts?",
    _table13,
    f"Against the float counterpart of each. {ACCOUNTINGS} The paper's memory saving of F (30.37×)"
    " does not follow from its configuration.",
)
