"""What each primitive on each edge of the search space costs in a network, from a table.

The converter is asked, not imitated: a network whose every edge has one primitive is packed, and
the steps that it made for an edge are the edge's. Shared steps stay out: the units on a cell's
inputs, which run as long as any edge reads them, stem, shortcuts and classifier.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bnas_deploy.format.steps.step import Step
from bnas_deploy.latency.keys import step_keys
from bnas_deploy.latency.packing import pack_random
from bnas_deploy.latency.table import LatencyTable
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import EDGES, INPUT_STATES, Edge, Genotype

__all__ = ["edge_seconds"]

_SOURCES = (0, 1, 1, 2, 2, 3, 3, 4)
"""Of the eight edges: some read a cell's inputs, some its nodes."""
_EDGE = re.compile(r"cell(\d+)\.edge(\d+)\b")
_SUM = re.compile(r"cell(\d+)\.(?:out|state\d+)\b")

Times = dict[bool, dict[bool, float]]
"""Seconds in all cells, by whether they are reduction cells and the edge is from a cell's input."""


def edge_seconds(
    table: LatencyTable, config: NetworkConfig, space: Sequence[str], sources: Sequence[int]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the seconds that primitives add to a network, in all cells of a kind together.

    Args:
        table: Of the machine that counts.
        config: The network but for its cells.
        space: P primitives.
        sources: The source state of each of E edges.

    Returns:
        (E, P) for `normal` and `reduce`; Zeroise has 0.

    Raises:
        UsageError: The table does not cover the network.
    """
    table.check_covers(config, space)
    found = {kind: np.zeros((len(sources), len(space))) for kind in ("normal", "reduce")}
    for column, name in enumerate(space):
        times = _everywhere(table, config, name)
        for kind, array in found.items():
            for row, source in enumerate(sources):
                array[row, column] = times[kind == "reduce"][source < INPUT_STATES]
    return found


def _everywhere(table: LatencyTable, config: NetworkConfig, name: str) -> Times:
    times: Times = {True: {True: 0.0, False: 0.0}, False: {True: 0.0, False: 0.0}}
    if name == "none":
        return times
    edges: tuple[Edge, ...] = tuple((name, source) for source in _SOURCES)
    model = pack_random(replace(config, genotype=Genotype(edges, edges)))
    by_edge: dict[tuple[int, int], float] = defaultdict(float)
    by_sum: dict[int, float] = defaultdict(float)
    keys = step_keys(model.program, model.tensors)
    for step, key in zip(model.program.steps, keys, strict=True):
        if match := _EDGE.match(_owner(step)):
            by_edge[int(match[1]), int(match[2])] += table.seconds(key)[0]
        elif match := _SUM.match(_owner(step)):
            by_sum[int(match[1])] += table.seconds(key)[0] / EDGES
    for cell in range(config.layers):
        for inputs, own in _classes(by_edge, cell):
            mean = sum(own) / len(own) if own else 0.0
            times[cell in config.reductions][inputs] += mean + by_sum[cell]
    return times


def _owner(step: Step) -> str:
    """The name of what a step was made of: a layer's is in its tensors."""
    return next(iter(step.tensors() or step.writes()))


def _classes(
    by_edge: dict[tuple[int, int], float], cell: int
) -> Iterator[tuple[bool, list[float]]]:
    """Seconds of the edges from inputs, and from nodes; one that has no step shares another's."""
    for inputs in (True, False):
        own = [j for j, source in enumerate(_SOURCES) if (source < INPUT_STATES) == inputs]
        yield inputs, [by_edge[cell, j] for j in own if by_edge[cell, j]]
