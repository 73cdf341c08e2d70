"""Cells within a time: Eq. 5's choice, with as many changes as a target needs and no more.

Of all changes of one edge to a cheaper primitive, the one that gives up the least probability for
the time that it saves is made first. Time that is then left is used in the same way, by dearer
primitives on edges where the search is undecided: a primitive that has at least half of the
probability of the one kept. A term for the time moves all edges towards what is cheap together, and
argmax turns that into cells of nothing but Zeroise; time within the target costs nothing. The edges
that Eq. 5 keeps stay kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnas_deploy.errors import UsageError
from bnas_deploy.nn.genotype import EDGES_PER_NODE, INPUT_STATES, Edge, Genotype
from bnas_deploy.search.selection import Probabilities, select_genotype
from bnas_deploy.search.space import SUPERNET_EDGES, ZEROISE

__all__ = ["select_within"]

_ROWS = {edge: row for row, edge in enumerate(SUPERNET_EDGES)}
TINY = 1e-30
UNDECIDED = math.log(2)
"""Largest loss of log-probability for which time that is left is used."""
FILL_TRIES = 24
"""Predictions at most to use it."""
AT_ONCE = 2
"""Changes at most between two predictions."""

Predict = Callable[[Genotype], float]
Seconds = Mapping[str, npt.NDArray[np.float64]]
"""(E, P) by the kind of cell: what a primitive on an edge takes."""


@dataclass(frozen=True)
class _Change:
    """One edge of one cell gets another primitive."""

    kind: str
    edge: int
    name: str
    saved: float
    loss: float

    @property
    def place(self) -> tuple[str, int, str]:
        return self.kind, self.edge, self.name


def select_within(
    probabilities: Mapping[str, Probabilities],
    space: Sequence[str],
    gamma: float,
    *,
    target: float,
    edges: Seconds,
    predict: Predict,
) -> Genotype:
    """Choose both cells by Eq. 5, within a time, and using it.

    Args:
        probabilities: (E, P) by the kind of cell.
        space: The P names.
        gamma: Of Eq. 5.
        target: Seconds at most.
        edges: What each primitive takes on each edge.
        predict: The time of the network with such cells.

    Raises:
        UsageError: The cheapest cells take longer; the message has their time.
    """
    choice = _Choice(probabilities, space, gamma, edges)
    genotype = _cheaper(select_genotype(probabilities, space, gamma), choice, target, predict)
    return _fuller(genotype, choice, target, predict)


@dataclass(frozen=True)
class _Choice:
    """What the choice is made from; as for `select_within`."""

    probabilities: Mapping[str, Probabilities]
    space: Sequence[str]
    gamma: float
    edges: Seconds


def _cheaper(genotype: Genotype, choice: _Choice, target: float, predict: Predict) -> Genotype:
    """Make cheaper what must be."""
    seconds = predict(genotype)
    while seconds > target:
        missing, before = seconds - target, genotype
        for _ in range(AT_ONCE):  # what an edge saves is an estimate; the prediction decides
            changes = [change for change in _changes(genotype, choice) if change.saved > 0]
            if missing <= 0 or not changes:
                break
            best = min(changes, key=lambda change: change.loss / change.saved)
            genotype, missing = _changed(genotype, best), missing - best.saved
        if genotype == before:
            raise _impossible(target, seconds)
        seconds = predict(genotype)
    return genotype


def _fuller(genotype: Genotype, choice: _Choice, target: float, predict: Predict) -> Genotype:
    """Use the time that is left where the search is undecided."""
    tried: set[tuple[str, int, str]] = set()
    seconds = predict(genotype)
    while len(tried) < FILL_TRIES:
        changes = [
            change
            for change in _changes(genotype, choice)
            if change.saved < 0
            and change.loss <= UNDECIDED
            and seconds - change.saved <= target
            and change.place not in tried
        ]
        if not changes:
            break
        best = min(changes, key=lambda change: change.loss / -change.saved)
        tried.add(best.place)
        fuller = _changed(genotype, best)
        if predict(fuller) <= target:
            genotype, seconds = fuller, predict(fuller)
    return genotype


def _changes(genotype: Genotype, choice: _Choice) -> Iterator[_Change]:
    """Every change of one edge to another primitive that takes another time."""
    space, gamma = choice.space, choice.gamma
    for kind in ("normal", "reduce"):
        p, seconds = choice.probabilities[kind].astype(np.float64), choice.edges[kind]
        for index, (name, source) in enumerate(getattr(genotype, kind)):
            row = _ROWS[INPUT_STATES + index // EDGES_PER_NODE, source]
            own = space.index(name)
            for column, other in enumerate(space):
                saved = float(seconds[row, own] - seconds[row, column])
                if saved == 0 or (other == ZEROISE and math.isinf(gamma)):
                    continue
                before, after = (_value(p, row, c, space, gamma) for c in (own, column))
                loss = max(math.log(before) - math.log(after), 0.0)
                yield _Change(kind, index, other, saved, loss)


def _value(
    p: npt.NDArray[np.float64], row: int, column: int, space: Sequence[str], gamma: float
) -> float:
    value = float(p[row, column])
    return max(value / gamma if space[column] == ZEROISE else value, TINY)


def _changed(genotype: Genotype, change: _Change) -> Genotype:
    cells: dict[str, tuple[Edge, ...]] = {"normal": genotype.normal, "reduce": genotype.reduce}
    edges = list(cells[change.kind])
    edges[change.edge] = (change.name, edges[change.edge][1])
    return Genotype(**{**cells, change.kind: tuple(edges)})


def _impossible(target: float, least: float) -> UsageError:
    msg = (
        f"no cells bring this network to {1e3 * target:.3f} ms: the least possible is about"
        f" {1e3 * least:.3f} ms; give a smaller --network (bnas-latency choose finds one) or a"
        " larger --target-ms"
    )
    return UsageError(msg)
