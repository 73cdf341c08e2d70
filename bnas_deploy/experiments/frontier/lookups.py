"""Answers of the results of one kind of machine: the fastest engine, the smallest file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bnas_deploy.experiments.frontier.entries import same_network
from bnas_deploy.experiments.frontier.machine_file import MachineResults
from bnas_deploy.experiments.frontier.published import PUBLISHED

__all__ = ["Facts", "accuracies", "fastest", "file_bytes", "network_of", "rival_times"]

Facts = Mapping[str, Any]
"""Of one network, as `race.measure` gives them."""


def network_of(found: MachineResults, config: Mapping[str, Any], *, binary: bool) -> Facts | None:
    """Return what was measured of an architecture, whatever it is called."""
    for facts in found.networks.values():
        if facts["binary"] == binary and same_network(facts["network"], config):
            return facts
    return None


def fastest(facts: Facts, precision: str) -> tuple[str, float, float] | None:
    """Return the fastest engine with its median and interquartile range in milliseconds.

    Args:
        facts: Of a network.
        precision: `packed`, `int8` or `float32`.
    """
    times = [
        (values["ms"], name, values["iqr_ms"])
        for name, values in facts["times"].items()
        if name.endswith(precision)
    ]
    if not times:
        return None
    ms, name, iqr = min(times)
    return name, ms, iqr


def file_bytes(facts: Facts, precision: str) -> int | None:
    """Return the size of the smallest file of a precision, as for `fastest`."""
    begin = "float" if precision == "float32" else precision
    sizes = [size for name, size in facts["bytes"].items() if name.startswith(begin)]
    return min(sizes, default=None)


def accuracies() -> dict[str, float]:
    """Return the published accuracies in percent, by the keys of networks that have one."""
    return {p.key: p.accuracy for p in PUBLISHED if p.accuracy is not None}


def rival_times(
    found: MachineResults, known: Mapping[str, float], least: float
) -> Iterable[tuple[float, str, str]]:
    """Give milliseconds, network and engine of all rivals at least so accurate.

    Args:
        found: Of one kind of machine.
        known: Accuracies by the networks' keys.
        least: Accuracy that a network must have.
    """
    for key, facts in found.networks.items():
        if not facts["binary"] and known.get(key, 0.0) >= least:
            for name, values in facts["times"].items():
                yield values["ms"], str(facts["label"]), name
