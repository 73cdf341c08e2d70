"""The results of one run, from pytest-benchmark's JSON, and the choice among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Result", "Run", "fastest", "name", "read", "select"]


@dataclass(frozen=True)
class Result:
    """One contestant.

    Attributes:
        facts: What it is: `kind`, and what that kind is told apart by.
        median: Seconds.
        iqr: Interquartile range in seconds.
        rounds: Number of timed calls.
    """

    facts: Mapping[str, Any]
    median: float
    iqr: float
    rounds: int


@dataclass(frozen=True)
class Run:
    """All that one run of the benchmarks measured.

    Attributes:
        date: When, as YYYY-MM-DD.
        machine: Facts as the benchmarks wrote them.
        results: In the order in which they were measured.
    """

    date: str
    machine: Mapping[str, Any]
    results: tuple[Result, ...]

    @property
    def cpu(self) -> str:
        """Name of the processor."""
        return str(self.machine.get("engine", {}).get("cpu", {}).get("model", "unknown CPU"))

    @property
    def isas(self) -> Mapping[str, str]:
        """Each instruction set of the engine: "supported", or what the machine lacks."""
        found: Mapping[str, str] = self.machine.get("engine", {}).get("isas", {})
        return found


def read(path: Path) -> Run:
    """Read a report of pytest-benchmark.

    Raises:
        ValueError: The file is not one.
    """
    report = json.loads(path.read_text(encoding="utf-8"))
    if "benchmarks" not in report:
        msg = f"{path} holds no benchmarks; make it with 'make bench'"
        raise ValueError(msg)
    results = []
    for entry in report["benchmarks"]:
        stats = entry["stats"]
        results.append(Result(entry["extra_info"], stats["median"], stats["iqr"], stats["rounds"]))
    return Run(report.get("datetime", "unknown date")[:10], report["machine_info"], tuple(results))


def select(results: Iterable[Result], wanted: Mapping[str, Any]) -> list[Result]:
    """Those whose facts have all the wanted values; a list of values means any of them."""
    return [r for r in results if all(_fits(r.facts.get(k), v) for k, v in wanted.items())]


def _fits(value: object, wanted: object) -> bool:
    return value in wanted if isinstance(wanted, list) else value == wanted


def fastest(results: Iterable[Result], wanted: Mapping[str, Any]) -> Result | None:
    """The one of them with the smallest median, or None where there is none."""
    return min(select(results, wanted), key=lambda r: r.median, default=None)


def name(facts: Mapping[str, Any]) -> str:
    """What a network is called in tables: `BNAS-A w/o Zeroise, pool1x1, 8 bits`, `ResNet-20`."""
    if "zeroise" not in facts:
        return str(facts["network"])
    parts = [f"BNAS-{facts['network']}" + ("" if facts["zeroise"] else " w/o Zeroise")]
    parts += [f"shortcut {facts['shortcut']}"] if facts["shortcut"] != "conv" else []
    return ", ".join([*parts, "8 bits"] if facts["eight_bit"] else parts)
