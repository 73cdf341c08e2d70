"""The single layers of a run, each with all its parts, as figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reporting.results import Result, Run, select

__all__ = ["OUTPUTS", "Layer", "layers"]

OUTPUTS = ("bits", "floats")
RIVAL = "openvino-binary"


@dataclass(frozen=True)
class Layer:
    """One binary convolution.

    Attributes:
        name: As the benchmarks call it.
        facts: `shape`, `macs`, `moved_bytes`, `limit` (MACs a second).
        parts: Results of `pack`, `bits`, `floats` and, where measured, the rival.
    """

    name: str
    facts: Mapping[str, Any]
    parts: Mapping[str, Result]

    def rate(self, output: str) -> float:
        """Binary MACs a second, from packed input to that output."""
        return float(self.facts["macs"] / self.parts[output].median)

    def ratio(self, output: str) -> float | None:
        """The rival's time over that of packing and convolution."""
        if RIVAL not in self.parts:
            return None
        return self.parts[RIVAL].median / (self.parts["pack"].median + self.parts[output].median)

    @property
    def share(self) -> float:
        """Part of the popcount limit that the slower output reaches."""
        return float(min(self.rate(output) for output in OUTPUTS) / self.facts["limit"])

    @property
    def rival_ratio(self) -> float | None:
        """How many times as fast as the rival the slower output is."""
        return min((r for output in OUTPUTS if (r := self.ratio(output)) is not None), default=None)

    @property
    def group(self) -> str:
        """The class of layers that a target is set for."""
        if self.facts["shape"]["kernel"] == 1:
            return "1x1"
        return "3x3, 64 or more" if self.facts["shape"]["channels"] >= 64 else "3x3, fewer"

    def fits(self, groups: list[str]) -> bool:
        """Whether it belongs to one of the classes."""
        return self.group in groups


def layers(run: Run) -> list[Layer]:
    """Every layer whose own parts were all measured."""
    found: dict[str, dict[str, Result]] = {}
    for result in select(run.results, {"kind": "layer"}):
        found.setdefault(result.facts["layer"], {})[result.facts["part"]] = result
    return [
        Layer(name, parts["pack"].facts, parts)
        for name, parts in found.items()
        if {"pack", *OUTPUTS} <= set(parts)
    ]
