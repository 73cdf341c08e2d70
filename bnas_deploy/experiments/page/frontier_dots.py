"""The points of the frontier's pictures, from published accuracies and from trainings."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from bnas_deploy.experiments.frontier.lookups import Facts, fastest, file_bytes, network_of
from bnas_deploy.experiments.frontier.machine_file import MachineResults
from bnas_deploy.experiments.frontier.points import Point
from bnas_deploy.experiments.frontier.published import PUBLISHED
from bnas_deploy.experiments.page.frontier_plot import Dot

__all__ = ["megabytes", "milliseconds", "published_dots", "trained_dots"]

Measure = Callable[[Facts, str], "float | None"]
"""Milliseconds or megabytes of a network in a precision."""

PRECISIONS = {
    "packed": "other binary networks, 8 bits",
    "int8": "float networks, int8",
    "float32": "float networks, float32",
}


def milliseconds(facts: Facts, precision: str) -> float | None:
    """Return the time of the fastest engine."""
    found = fastest(facts, precision)
    return None if found is None else found[1]


def megabytes(facts: Facts, precision: str) -> float | None:
    """Return the size of the smallest file."""
    size = file_bytes(facts, precision)
    return None if size is None else size / 1e6


def published_dots(found: MachineResults, measure: Measure) -> list[Dot]:
    """Return the points of all networks with a published accuracy."""
    dots = []
    for network in PUBLISHED:
        facts = found.networks.get(network.key)
        if facts is not None and network.accuracy is not None:
            label = network.label.replace("`", "")
            dots += _dots(label, network.accuracy, facts, measure)
    return dots


def trained_dots(points: Sequence[Point], found: MachineResults, measure: Measure) -> list[Dot]:
    """Return the points of all trained networks that were measured on this kind of machine."""
    dots = []
    for point in points:
        facts = network_of(found, point.network, binary=point.binary)
        if facts is not None:
            accuracy = 100 * statistics.fmean(point.accuracies)
            # float32 has the accuracy before quantization, which is another point.
            dots += [
                dot
                for dot in _dots(_with_hours(point), accuracy, facts, measure)
                if dot.family != PRECISIONS["float32"]
            ]
    return dots


def _with_hours(point: Point) -> str:
    """The name, which has the hours where the clock ended the training."""
    if point.recipe.get("hours"):
        return point.name
    return f"{point.name}, {statistics.fmean(point.hours):.1f} h"


def _dots(label: str, accuracy: float, facts: Facts, measure: Measure) -> list[Dot]:
    found = []
    for precision, family in PRECISIONS.items():
        x = measure(facts, precision)
        bnas = precision == "packed" and "genotype" in facts["network"]
        if x is not None:
            found.append(Dot(label, "BNAS, 8 bits" if bnas else family, x, accuracy))
    return found
