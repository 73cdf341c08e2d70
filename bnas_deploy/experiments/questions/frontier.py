"""Which network is worth choosing? Accuracy against time and bytes, beside what people deploy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bnas_deploy.backbones.registry import NETWORKS as BACKBONES
from bnas_deploy.experiments.budgets import SMOKE, SMOKE_SIDE, smoke_network
from bnas_deploy.experiments.definition import (
    TEST_ACCURACY,
    Cells,
    Experiment,
    Metric,
    Setup,
    Table,
    Variant,
)
from bnas_deploy.experiments.frontier.measure import measure_machine
from bnas_deploy.experiments.frontier.points import trained_points
from bnas_deploy.experiments.measuring.after_quantization import after_quantization
from bnas_deploy.experiments.results import Results, percent, spread
from bnas_deploy.networks.config import AnyConfig
from bnas_deploy.nn.config import SMALL_CONFIGS, NetworkConfig, get_config
from bnas_deploy.plain.registry import NETWORKS as PLAIN
from bnas_deploy.training.recipes.presets import preset
from bnas_deploy.training.recipes.recipe import RECIPES, Recipe

__all__ = ["FRONTIER"]

MOST_EPOCHS = 100_000
"""Never reached: the hours end a training."""

MINI = replace(get_config("Mini"), shortcut="pool1x1")

BINARY: Mapping[str, tuple[str, AnyConfig]] = {
    "mini": ("BNAS-Mini, `pool1x1`", MINI),
    "mini-16": ("BNAS-Mini, `pool1x1`, 16 channels", replace(MINI, channels=16)),
    "mini-12": ("BNAS-Mini, `pool1x1`, 12 channels", replace(MINI, channels=12)),
    "micro": ("Micro", SMALL_CONFIGS["Micro"]),
    "nano": ("Nano", SMALL_CONFIGS["Nano"]),
    "bireal20": ("Bi-Real ResNet-20", BACKBONES["bireal20"]),
    "bireal20-32": ("Bi-Real ResNet-20, 32 channels", replace(BACKBONES["bireal20"], channels=32)),
    "pcnn-16": ("PCNN, 16 channels", replace(BACKBONES["pcnn-resnet18"], channels=16)),
}
FLOAT: Mapping[str, tuple[str, AnyConfig]] = {
    "resnet8": ("ResNet-8", PLAIN["resnet8"]),
    "resnet14": ("ResNet-14", PLAIN["resnet14"]),
    "resnet20": ("ResNet-20", PLAIN["resnet20"]),
    "mobilenetv2-x0.25": ("MobileNetV2 ×0.25", PLAIN["mobilenetv2-x0.25"]),
    "ds-cnn": ("DS-CNN", PLAIN["ds-cnn"]),
}

FLOAT_RECIPE = Recipe(
    epochs=MOST_EPOCHS, batch=128, lr=0.1, weight_decay=5e-4, drop_path=0.0, holdout=0.02,
)  # fmt: skip
"""SGD with momentum and one cycle, which short trainings of residual networks usually take."""


def _recipe(config: AnyConfig, *, binary: bool) -> Recipe:
    if not binary:
        return FLOAT_RECIPE
    return replace(preset("cpu", config), epochs=MOST_EPOCHS)


def _setup(budget: str, config: AnyConfig, *, binary: bool) -> Setup:
    if budget != "smoke":
        return Setup(config, _recipe(config, binary=binary), binary=binary)
    if isinstance(config, NetworkConfig):
        return Setup(smoke_network(config), SMOKE, binary=binary, amp="off")
    layers = min(config.layers, 1) or 1
    small = replace(config, channels=4, layers=layers, image_size=SMOKE_SIDE)
    return Setup(small, SMOKE, binary=binary, amp="off")


def _variants(budget: str, cells: Cells) -> tuple[Variant, ...]:
    found = []
    for networks, binary in ((BINARY, True), (FLOAT, False)):
        for name, (label, config) in networks.items():
            if budget == "smoke" and name not in ("mini", "resnet8"):
                continue
            found.append(Variant(name, label, _setup(budget, config, binary=binary)))
    return tuple(found)


def _tables(results: Results) -> list[Table]:
    rows = []
    for point in trained_points(results):
        recipe = Recipe.from_dict(point.recipe, RECIPES["cifar10"])
        took = [f"{hours:.2f}" for hours in point.hours]
        rows.append(
            (
                point.name,
                f"{recipe.optimizer}, {recipe.schedule}",
                ", ".join(took),
                spread(point.float_accuracies, percent),
                spread(point.accuracies, percent),
            )
        )
    heads = ("network", "recipe", "hours", "PyTorch, %", "as deployed in 8 bits, %")
    return [Table(heads, tuple(rows))] if rows else []


FRONTIER = Experiment(
    name="frontier",
    title="The frontier",
    answers=("frontier",),
    question=(
        "Which network is worth choosing, a binary one or an int8 one that people deploy? The page"
        " [frontier.md](frontier.md) has accuracy against time and bytes; here are the trainings."
    ),
    metrics=(
        TEST_ACCURACY,
        Metric("packed_8bit_accuracy", "packed file, all in 8 bits that can be"),
        Metric("int8_accuracy", "int8 by ONNX Runtime"),
    ),
    variants=_variants,
    seeds={"smoke": (0,), "cpu": (0,), "paper": (0, 1, 2)},
    notes=(
        "Every training takes the same hours of this machine, by the clock, and the rate follows"
        " it. Binary networks have the preset `cpu`, float ones SGD with one cycle up to 0.1,"
        " weight decay 5e-4 and batches of 128; both the same pictures, crops and flips, and a"
        " fiftieth of"
        " the training images to choose the epoch by. Neither recipe was searched for at this"
        " length. int8 is post-training quantization with ranges measured on 512 training images."
    ),
    measure=after_quantization,
    tables=_tables,
    hours={"cpu": 1.0, "paper": 12.0},
    on_machine=measure_machine,
)
