"""The single layers of a run, each with all its parts, as figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reporting.results import Result, Run, select

__all__ = ["GROUPS", "OUTPUTS", "Layer", "layers"]

OUTPUTS = ("bits", "floats")
GROUPS = ("3x3, 128 or more", "3x3, 64 to 127", "3x3, fewer", "1x1")
"""Classes of layers, by kernel and channels read, that targets are set for."""
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

    def share(self, outputs: Sequence[str] = OUTPUTS) -> float:
        """Part of the popcount limit that the slowest of these outputs reaches."""
        return float(min(self.rate(output) for output in outputs) / self.facts["limit"])

    def rival_ratio(self, outputs: Sequence[str] = OUTPUTS) -> float | None:
        """How many times as fast as the rival the slowest of these outputs is."""
        return min((r for output in outputs if (r := self.ratio(output)) is not None), default=None)

    @property
    def channels(self) -> int:
        """Channels that it reads."""
        return int(self.facts["shape"]["channels"])

    @property
    def group(self) -> str:
        """One of GROUPS."""
        if self.facts["shape"]["kernel"] == 1:
            return "1x1"
        least = {"3x3, 128 or more": 128, "3x3, 64 to 127": 64, "3x3, fewer": 0}
        return next(group for group, channels in least.items() if self.channels >= channels)


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
