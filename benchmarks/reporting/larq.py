"""The table of imported networks against larq's engine: agreement, medians, ratios."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

__all__ = [
    "LEAST_AGREEMENT",
    "Comparison",
    "Network",
    "agreement",
    "line",
    "page",
    "quartiles",
    "read",
    "section",
    "write",
]

LEAST_AGREEMENT = 0.95
"""Correlation of the logits with Keras' below which a float network is not timed.

With random weights, one sign that falls the other way by a rounding may change all of an image's
logits, so some images may differ.
"""

EXPLAINED = f"""Behind each median: interquartile range, and the correlation of the logits with
Keras', the median over the pictures. Below {LEAST_AGREEMENT} nothing is timed. Layers in 8 bits
move many signs of such random networks, so there the answer is instead compared with the reference
backend's, bit for bit."""

CLOCKS = {"wall": "Wall time", "cpu": "The processor's time, on a busy machine"}


@dataclass(frozen=True)
class Network:
    """What was measured of one network.

    Attributes:
        name: Of its files.
        agreement: With Keras, by contestant.
        seconds: Quartiles of the calls, by contestant; None where the answers differ.
    """

    name: str
    agreement: Mapping[str, float]
    seconds: Mapping[str, Sequence[float] | None]

    def median(self, name: str) -> float | None:
        """Seconds of one contestant, where it was timed."""
        found = self.seconds[name]
        return None if found is None else found[1]

    def best(self, names: Sequence[str]) -> str | None:
        """The fastest of these contestants by the median, of those that were timed."""
        timed = {name: m for name in names if (m := self.median(name)) is not None}
        return min(timed, key=lambda name: timed[name], default=None)


@dataclass(frozen=True)
class Comparison:
    """A run.

    Attributes:
        networks: In the order in which they were measured.
        own: Which of the contestants are this engine.
        clock: "wall" or "cpu".
    """

    networks: Sequence[Network]
    own: Sequence[str]
    clock: str


def quartiles(seconds: Sequence[float]) -> Sequence[float] | None:
    """Of the times of some calls; None of none."""
    return [float(q) for q in np.percentile(seconds, [25, 50, 75])] if seconds else None


def write(run: Comparison, path: Path) -> None:
    """Keep it as JSON."""
    path.write_text(json.dumps(asdict(run)) + "\n", encoding="utf-8")


def read(path: Path) -> Comparison:
    """Read what `write` has written.

    Raises:
        ValueError: The file is something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        networks = [Network(**network) for network in found.pop("networks")]
        return Comparison(networks, **found)
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"{path} is no comparison with larq's engine; benchmarks/against_larq.py makes one"
        raise ValueError(msg) from error


def agreement(expected: np.ndarray, got: np.ndarray) -> float:
    """The correlation of an image's logits with those expected, the median over all images.

    Args:
        expected: Logits or probabilities (N, classes).
        got: The same, of someone else.
    """
    pairs = zip(_logits(expected), _logits(got), strict=True)
    return median(float(np.corrcoef(a, b)[0, 1]) for a, b in pairs)


def _logits(answers: np.ndarray) -> np.ndarray:
    """The logits; of probabilities, to within a constant that a correlation does not see."""
    answers = answers.astype(np.float64)
    probabilities = (answers >= 0).all() and np.allclose(answers.sum(1), 1, atol=1e-3)
    return np.log(answers + 1e-30) if probabilities else answers


def page(run: Comparison, facts: Mapping[str, Any]) -> str:
    """The comparison as a page of its own: machine, and a row for each network."""
    cpu = facts["engine"]["cpu"]["model"]
    return "\n".join(["# Against larq's Compute Engine", "", f"On {cpu}.", "", *_lines(run)])


def section(run: Comparison | None) -> list[str]:
    """The comparison as lines of a report, which names the machine; None: there was none."""
    lines = _lines(run) if run else ["Not measured.", ""]
    return ["## Against larq's Compute Engine", "", *lines]


def _lines(run: Comparison) -> list[str]:
    rivals = _rivals(run.networks[0], run.own)
    heads = ["network", *run.own, *rivals, *(f"best LCE / {name}" for name in run.own)]
    rows = [_row(network, run.own, rivals) for network in run.networks]
    cells = [heads, ["---"] * len(heads), *rows]
    table = ["| " + " | ".join(row) + " |" for row in cells]
    head = f"{CLOCKS[run.clock]}, one thread, one image: medians, in turns."
    return [head, "", *table, "", EXPLAINED, ""]


def _rivals(network: Network, own: Sequence[str]) -> list[str]:
    return [name for name in network.seconds if name not in own]


def _row(network: Network, own: Sequence[str], rivals: Sequence[str]) -> list[str]:
    cells = [_cell(network, name) for name in (*own, *rivals)]
    return [network.name, *cells, *(_ratio(network, name, rivals) for name in own)]


def _cell(network: Network, name: str) -> str:
    seconds, agreed = network.seconds[name], f"{network.agreement[name]:.3f}"
    if seconds is None:
        return f"answers differ ({agreed})"
    low, middle, high = seconds
    return f"{middle * 1e3:.2f} ms ± {(high - low) / middle:.0%} ({agreed})"


def _ratio(network: Network, name: str, rivals: Sequence[str]) -> str:
    best, own = network.best(rivals), network.median(name)
    if best is None or own is None:
        return "not measured"
    return f"{(network.median(best) or 0) / own:.1f}×"


def line(network: Network, own: Sequence[str]) -> str:
    """One line for the terminal."""
    rivals = _rivals(network, own)
    ratios = (f"{name} {_ratio(network, name, rivals)}" for name in own)
    return f"{network.name}: best of LCE is {network.best(rivals)}; " + ", ".join(ratios)
