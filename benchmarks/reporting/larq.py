"""The table of imported networks against larq's engine: agreement, medians, ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

__all__ = ["LEAST_AGREEMENT", "Network", "agreement", "line", "markdown"]

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
        seconds: Of every call, by contestant; none where the answers differ.
    """

    name: str
    agreement: Mapping[str, float]
    seconds: Mapping[str, Sequence[float]]

    def best(self, names: Sequence[str]) -> str | None:
        """The fastest of these contestants by the median, of those that were timed."""
        timed = [name for name in names if self.seconds[name]]
        return min(timed, key=lambda name: median(self.seconds[name]), default=None)


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


def markdown(
    networks: Sequence[Network], facts: Mapping[str, Any], own: Sequence[str], clock: str
) -> str:
    """The page: machine, and a row for each network."""
    cpu = facts["engine"]["cpu"]["model"]
    rivals = [name for name in networks[0].seconds if name not in own]
    heads = ["network", *own, *rivals, *(f"best LCE / {name}" for name in own)]
    rows = [_row(network, own, rivals) for network in networks]
    cells = [heads, ["---"] * len(heads), *rows]
    table = ["| " + " | ".join(row) + " |" for row in cells]
    head = f"{CLOCKS[clock]} on {cpu}, one thread, one image: medians, in turns."
    page = ["# Against larq's Compute Engine", "", head, "", *table, "", EXPLAINED, ""]
    return "\n".join(page)


def _row(network: Network, own: Sequence[str], rivals: Sequence[str]) -> list[str]:
    cells = [_cell(network, name) for name in (*own, *rivals)]
    return [network.name, *cells, *(_ratio(network, name, rivals) for name in own)]


def _cell(network: Network, name: str) -> str:
    seconds, agreed = network.seconds[name], f"{network.agreement[name]:.3f}"
    if not seconds:
        return f"answers differ ({agreed})"
    low, high = np.percentile(seconds, [25, 75])
    middle = median(seconds)
    return f"{middle * 1e3:.2f} ms ± {(high - low) / middle:.0%} ({agreed})"


def _ratio(network: Network, name: str, rivals: Sequence[str]) -> str:
    best = network.best(rivals)
    if best is None or not network.seconds[name]:
        return "not measured"
    return f"{median(network.seconds[best]) / median(network.seconds[name]):.1f}×"


def line(network: Network, own: Sequence[str]) -> str:
    """One line for the terminal."""
    rivals = [name for name in network.seconds if name not in own]
    ratios = (f"{name} {_ratio(network, name, rivals)}" for name in own)
    return f"{network.name}: best of LCE is {network.best(rivals)}; " + ", ".join(ratios)
