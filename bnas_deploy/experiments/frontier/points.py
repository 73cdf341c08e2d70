"""Trained networks as points of the picture: accuracy as deployed, hours, architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bnas_deploy.experiments.results import Results

__all__ = ["Point", "trained_points"]

DEPLOYED = ("packed_8bit_accuracy", "packed_accuracy", "int8_accuracy")
"""The accuracy that counts, the first that was measured."""


@dataclass(frozen=True)
class Point:
    """One trained variant, of all its seeds.

    Attributes:
        name: Of the variant.
        network: Its configuration.
        binary: Whether it is binarized.
        recipe: How it was trained.
        hours: Of each seed.
        float_accuracies: By PyTorch, of each seed that has them.
        accuracies: As it is deployed: after quantization, of each seed.
    """

    name: str
    network: Mapping[str, Any]
    binary: bool
    recipe: Mapping[str, Any]
    hours: tuple[float, ...]
    float_accuracies: tuple[float, ...]
    accuracies: tuple[float, ...]


def trained_points(results: Results) -> list[Point]:
    """Return the variants with finished jobs, in the order of the results."""
    found = []
    for name, setup in results.setups.items():
        jobs = results.of(name)
        metric = next((m for m in DEPLOYED if results.values(name, m)), None)
        if metric is None:
            continue
        found.append(
            Point(
                name=name,
                network=setup["network"],
                binary=setup["binary"],
                recipe=setup["recipe"],
                hours=tuple(job.seconds / 3600 for job in jobs),
                float_accuracies=tuple(results.values(name, "test_accuracy")),
                accuracies=tuple(results.values(name, metric)),
            )
        )
    return found
