"""What do cheaper skips of the reduction cells cost in accuracy? The paper does not ask this.

The paper's figures of memory and speed leave these skips out; this experiment shows what can really
be saved.
"""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy import cost
from bnas_deploy.experiments.budgets import full_recipe, smoke_network, smoke_setup
from bnas_deploy.experiments.definition import (
    TEST_ACCURACY,
    Cells,
    Experiment,
    Metric,
    Picture,
    Setup,
    Table,
    Variant,
)
from bnas_deploy.experiments.measuring.latency import compare_shortcuts
from bnas_deploy.experiments.measuring.packed import with_8_bits
from bnas_deploy.experiments.results import Results, percent, spread
from bnas_deploy.nn.config import SHORTCUTS, NetworkConfig, get_config
from bnas_deploy.nn.genotype import LATEST_CELL
from bnas_deploy.training.recipes.recipe import Recipe

__all__ = ["SHORTCUT_QUESTION", "choices"]

CPU = Recipe(epochs=4, batch=128, lr=0.08, drop_path=0.0, evaluate_every=2)
LABELS = {
    "conv": "conv (the paper's 2×2 convolution)",
    "pool1x1": "pool1x1 (average pooling, 1×1 convolution)",
    "binary": "binary (sign, binary 2×2 convolution)",
    "pool": "pool (average pooling, no weights)",
}
WITH_WEIGHTS = ("conv", "pool1x1")
"""The kinds that can be put into 8 bits."""


def _setup(budget: str, kind: str) -> Setup:
    network = replace(get_config("Mini"), shortcut=kind)
    if budget == "paper":
        return full_recipe(network)
    if budget == "smoke":
        return smoke_setup(network)
    return Setup(replace(network, layers=8, channels=8), CPU, amp="bf16")


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    return tuple(Variant(kind, LABELS[kind], _setup(budget, kind)) for kind in SHORTCUTS)


def choices() -> dict[str, tuple[str, int]]:
    """Return the kind of shortcut and its bits for each name such as `conv, 8 bits`."""
    found = {}
    for kind in SHORTCUTS:
        found[kind] = (kind, 32)
        if kind in WITH_WEIGHTS:
            found[f"{kind}, 8 bits"] = (kind, 8)
    return found


def _compare(budget: str) -> dict[str, dict[str, float]]:
    network = get_config("A")
    if budget == "smoke":
        network = smoke_network(network)
    return compare_shortcuts(network, choices(), rounds=3 if budget == "smoke" else 101)


def _costs(network: NetworkConfig, bits: int) -> tuple[float, float, float]:
    """Megabytes, FLOPs in 1e8, memory saving over float A without Zeroise; all counted."""
    over = replace(get_config("A"), genotype=LATEST_CELL)
    megabytes = cost.memory_bits(network, full=True, shortcut_bits=bits) / 8e6
    flops = cost.full_flops(network, shortcut_bits=bits) / 1e8
    saving = cost.memory_saving(network, over=over, full=True, shortcut_bits=bits)
    return megabytes, flops, saving


def _tables(results: Results) -> list[Table]:
    rows = []
    for name, (kind, bits) in choices().items():
        packed = "packed_8bit_accuracy" if bits == 8 else "packed_accuracy"
        torch = results.values(kind, "test_accuracy")
        megabytes, flops, saving = _costs(replace(get_config("A"), shortcut=kind), bits)
        times = results.comparison.get(name, {})
        rows.append(
            (
                name,
                spread(torch, percent) if bits == 32 else "-",
                spread(results.values(kind, packed), percent),
                f"{megabytes:.3f}",
                f"{saving:.1f}×",
                f"{flops:.3f}",
                f"{times['ms']:.3f} ± {times['iqr_ms']:.3f}" if times else "not measured",
            )
        )
    heads = (
        *("shortcut", "PyTorch, %", "packed file, %"),
        *("BNAS-A: MB", "memory saving", "FLOPs ×10⁸", "latency, ms"),
    )
    return [Table(heads, tuple(rows), "Accuracy of the small network; cost of BNAS-A with it")]


SHORTCUT_QUESTION = Experiment(
    name="shortcuts",
    title="The shortcut question",
    answers=("shortcuts",),
    question=(
        "The paper's memory and speed-up leave out the full-precision shortcuts of reduction cells."
        " What does a cheaper one cost in accuracy?"
    ),
    metrics=(
        TEST_ACCURACY,
        Metric("packed_accuracy", "packed file"),
        Metric("packed_8bit_accuracy", "packed file, 8-bit shortcut"),
    ),
    variants=_variants,
    seeds={"smoke": (0,), "cpu": (0, 1, 2), "paper": (0,)},
    notes=(
        "8 bits: quantization after training, with ranges measured on training images. Memory and"
        " FLOPs are those of BNAS-A with everything counted, the saving over float BNAS-A without"
        " Zeroise. Latency: packed BNAS-A of random weights, one image, one thread, median and"
        " interquartile range over rounds in which all networks take turns."
    ),
    pictures=(
        Picture(
            "shortcuts",
            "shortcuts",
            "Accuracy of the small network against memory and latency of BNAS-A with that"
            " shortcut; filled: 32 bits, open: 8 bits.",
        ),
    ),
    measure=with_8_bits,
    compare=_compare,
    tables=_tables,
)
