"""Compares the targets (targets.json) with what a run reached.

A target has a `measure`: `ratio` (median of `slow` over that of `fast`, the fastest that fits on
both sides; with `statistic`, of that fact instead), `median` and `fact` (of the results that fit
`of`), `share` (of the popcount limit) and `rival` (OpenVINO's operator over ours, packing included)
of the worst layer, among those of the classes `layers` with at most `most_channels`, and of its
slowest output in `outputs`; without these, among all. `least` or `most` is the goal. `has` and
`lacks` name an instruction set: the target holds for machines with, or without, it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reporting.layers import GROUPS, OUTPUTS, Layer, layers
from reporting.results import Result, Run, fastest, name

__all__ = ["FILE", "Outcome", "outcomes", "read"]

FILE = Path(__file__).parents[1] / "targets.json"
Target = Mapping[str, Any]
Found = tuple[float, str]


@dataclass(frozen=True)
class Outcome:
    """One target and the figure reached.

    Attributes:
        target: As in the file.
        reached: None where the run lacks what it needs.
        by: What reached it, or which layer is the worst.
        count: For layers, how many of how many reach it.
    """

    target: Target
    reached: float | None
    by: str = ""
    count: str = ""

    @property
    def asked(self) -> float:
        """The figure asked for."""
        return float(self.target["least"] if "least" in self.target else self.target["most"])

    @property
    def met(self) -> bool | None:
        """Whether it was reached, or None where that is unknown."""
        if self.reached is None:
            return None
        return self.reached >= self.asked if "least" in self.target else self.reached <= self.asked


def read(path: Path = FILE) -> list[Target]:
    """The targets."""
    found: list[Target] = json.loads(path.read_text(encoding="utf-8"))
    return found


def outcomes(run: Run, targets: list[Target]) -> list[Outcome]:
    """Every target that holds for the run's machine, with what the run reached."""
    return [MEASURES[t["measure"]](run, t) for t in targets if _holds(run, t)]


def _holds(run: Run, target: Target) -> bool:
    has = [isa for isa, state in run.isas.items() if state == "supported"]
    return ("has" not in target or target["has"] in has) and target.get("lacks") not in has


def _ratio(run: Run, target: Target) -> Outcome:
    slow, fast = (fastest(run.results, target[side]) for side in ("slow", "fast"))
    if slow is None or fast is None:
        return Outcome(target, None)
    if "statistic" in target:
        fact = target["statistic"]
        return Outcome(target, slow.facts[fact] / fast.facts[fact])
    own = slow if slow.facts.get("own") and not fast.facts.get("own") else fast
    return Outcome(target, slow.median / fast.median, _by(own))


def _median(run: Run, target: Target) -> Outcome:
    found = fastest(run.results, target["of"])
    return Outcome(target, found.median, _by(found)) if found else Outcome(target, None)


def _fact(run: Run, target: Target) -> Outcome:
    found = fastest(run.results, target["of"])
    if found is None:
        return Outcome(target, None)
    return Outcome(target, FACTS[target["fact"]](found.facts), _by(found))


def _beside(memory: Mapping[str, int]) -> int:
    return sum(memory.values()) - memory["weights"]


FACTS: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "file_bytes": lambda facts: float(facts["file_bytes"]),
    "working_bytes": lambda facts: float(_beside(facts["memory"])),
    "saving": lambda facts: float(facts["over_bytes"] / facts["file_bytes"]),
}
"""Figures that follow from what is known of a loaded model."""


def _fits(layer: Layer, target: Target) -> bool:
    few = "most_channels" not in target or layer.channels <= target["most_channels"]
    return few and layer.group in target.get("layers", GROUPS)


def _worst(
    of: Callable[[Layer, Sequence[str]], float | None],
) -> Callable[[Run, Target], Outcome]:
    def measure(run: Run, target: Target) -> Outcome:
        fitting = [layer for layer in layers(run) if _fits(layer, target)]
        values = [(of(layer, target.get("outputs", OUTPUTS)), layer.name) for layer in fitting]
        found = [(value, name) for value, name in values if value is not None]
        if not found:
            return Outcome(target, None)
        value, worst = min(found)
        reaching = sum(value >= target["least"] for value, _ in found)
        return Outcome(target, value, f"worst: {worst}", f"{reaching} of {len(found)}")

    return measure


def _by(result: Result) -> str:
    parts = [str(result.facts["runner"])] if "runner" in result.facts else []
    return ", ".join([*parts, name(result.facts)] if "network" in result.facts else parts)


MEASURES: dict[str, Callable[[Run, Target], Outcome]] = {
    "ratio": _ratio,
    "median": _median,
    "fact": _fact,
    "share": _worst(Layer.share),
    "rival": _worst(Layer.rival_ratio),
}
