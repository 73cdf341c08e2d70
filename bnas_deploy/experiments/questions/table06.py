"""Tables 6 and 7, our rows: accuracies of the published networks."""

from __future__ import annotations

from dataclasses import replace

from bnas_deploy.experiments.budgets import ONE_SEED, full_recipe, smoke_setup
from bnas_deploy.experiments.definition import TEST_ACCURACY, Cells, Experiment, Metric, Variant
from bnas_deploy.experiments.running.same_runs import ablation
from bnas_deploy.nn.config import get_config

__all__ = ["TABLE6"]

CIFAR10 = {"Mini": "90.12", "A": "92.70", "B": "93.76", "C": "94.43"}
IMAGENET = {
    "D": ("57.69", "79.89"),
    "E": ("58.76", "80.61"),
    "F": ("58.99", "80.85"),
    "G": ("59.81", "81.61"),
    "H": ("63.51", "83.91"),
}
"""Top-1 and top-5."""


def _trained(cells: Cells) -> tuple[Variant, ...]:
    mini = full_recipe(get_config("Mini"))
    found = [Variant("Mini", "BNAS-Mini", mini, paper={"test_accuracy": CIFAR10["Mini"]})]
    for size in ("A", "B", "C"):
        paper = {"test_accuracy": CIFAR10[size]}
        label = f"BNAS-{size}"
        found.append(ablation("paper", cells, "full", label=label, paper=paper, size=size))
    for size, (top1, top5) in IMAGENET.items():
        setup, paper = full_recipe(get_config(size)), {"test_accuracy": f"{top1} (top-5 {top5})"}
        found.append(Variant(size, f"BNAS-{size} (ImageNet)", setup, paper=paper))
    return tuple(found)


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    if budget == "paper":
        return _trained(cells)
    paper = {"test_accuracy": CIFAR10["Mini"]}
    if budget == "smoke":
        return (Variant("Mini", "BNAS-Mini", smoke_setup(get_config("Mini")), paper=paper),)
    waiting = [replace(v, setup=None, needs="the budget paper") for v in _trained(cells)]
    shipped = Variant("shipped-mini", "BNAS-Mini, the shipped file", paper=paper, shipped=True)
    return (shipped, *waiting)


TABLE6 = Experiment(
    name="table6",
    title="The published networks",
    answers=("Table 6", "Table 7"),
    question="How accurate are BNAS-Mini and A to C on CIFAR-10, and D to H on ImageNet?",
    metrics=(
        TEST_ACCURACY,
        Metric("packed_accuracy", "packed file"),
        Metric("packed_8bit_accuracy", "packed file, 8-bit shortcut"),
    ),
    variants=_variants,
    seeds=ONE_SEED,
    notes=(
        "They are trained only under the budget `paper` (days on a GPU). Under `cpu` the shipped"
        " `models/bnas-mini.pt` is evaluated on all test images: its own, shorter recipe is in the"
        " file."
    ),
)
