"""Draws accuracy of the shortcuts against memory and latency."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnas_deploy import cost
from bnas_deploy.experiments.definition import Variant
from bnas_deploy.experiments.questions.shortcuts import choices
from bnas_deploy.experiments.results import Results
from bnas_deploy.nn.config import get_config

__all__ = ["draw_shortcuts"]

KINDS = {
    "conv": ("#D55E00", "o"),
    "pool1x1": ("#0072B2", "s"),
    "binary": ("#009E73", "^"),
    "pool": ("#E69F00", "D"),
}
"""Colour and marker."""


def draw_shortcuts(results: Results, variants: Sequence[Variant]) -> Figure | None:
    """Draw a point for each kind and width of shortcut; None if there are no accuracies."""
    accuracies = {
        name: results.values(kind, "packed_8bit_accuracy" if bits == 8 else "packed_accuracy")
        for name, (kind, bits) in choices().items()
    }
    if not any(accuracies.values()):
        return None
    network = get_config("A")
    memory = {
        name: cost.memory_bits(replace(network, shortcut=kind), full=True, shortcut_bits=bits) / 8e6
        for name, (kind, bits) in choices().items()
    }
    latency = {name: times["ms"] for name, times in results.comparison.items()}
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _panel(left, memory, accuracies, "BNAS-A with it: megabytes, all counted")
    _panel(right, latency, accuracies, "packed BNAS-A with it: ms an image, one thread")
    left.set_ylabel("test accuracy of the small network, %")
    figure.legend(
        *left.get_legend_handles_labels(), ncols=6, frameon=False, fontsize=8,
        loc="outside lower center",
    )  # fmt: skip
    return figure


def _panel(
    axis: Axes, places: dict[str, float], accuracies: dict[str, list[float]], label: str
) -> None:
    for name, (kind, bits) in choices().items():
        values = [100 * value for value in accuracies[name]]
        if not values or name not in places:
            continue
        colour, marker = KINDS[kind]
        error = [statistics.stdev(values)] if len(values) > 1 else None
        axis.errorbar(
            [places[name]], [statistics.fmean(values)], yerr=error, fmt=marker, color=colour,
            fillstyle="full" if bits == 32 else "none", capsize=3, label=name,
        )  # fmt: skip
    axis.set(xlabel=label)
    axis.set_xlim(0, 1.08 * max(places.values(), default=1))
    axis.spines[["top", "right"]].set_visible(False)
