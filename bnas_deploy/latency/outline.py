"""Chooses the outline of a network around its cells: as much work as fits into a time.

How accurate an outline is shows only after training. What is chosen here is the one with the most
binary multiply-accumulates of those whose predicted time is within the target: at the same cells,
accuracy grows with work far more often than not. So the first ones are candidates to train.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, pairwise

from bnas_deploy.cost.network import network_layers
from bnas_deploy.errors import ConfigError, UsageError
from bnas_deploy.latency.packing import pack_random
from bnas_deploy.latency.predict import predict
from bnas_deploy.latency.table import LatencyTable
from bnas_deploy.nn.config import NetworkConfig

__all__ = ["Outline", "OutlineSpace", "choose_outlines"]

GROWTH = 4
"""A stage has at most so many times the channels of the one before."""


@dataclass(frozen=True)
class Outline:
    """A candidate.

    Attributes:
        config: The network.
        seconds: Its predicted time.
        binary_macs: Its binary multiply-accumulates, for one image.
    """

    config: NetworkConfig
    seconds: float
    binary_macs: int


@dataclass(frozen=True)
class OutlineSpace:
    """What is varied.

    Attributes:
        layers: Numbers of cells.
        widths: Channels of a node; a stage has at least as many as the one before.
        stems: Kinds of stems.
        shortcuts: Kinds of shortcuts.
        early: Whether the reduction cells may also be the first cells of all, beside the thirds.
    """

    layers: tuple[int, ...]
    widths: tuple[int, ...]
    stems: tuple[str, ...]
    shortcuts: tuple[str, ...]
    early: bool = True


def choose_outlines(
    table: LatencyTable,
    base: NetworkConfig,
    space: OutlineSpace,
    *,
    target_seconds: float,
    count: int = 5,
    tries: int = 60,
) -> list[Outline]:
    """Return the networks of most binary work within a time, most first.

    Candidates are tried from the most work down by a bisection: time and work grow together, so
    the ones near the target are found without predicting them all.

    Args:
        table: Of the machine that counts.
        base: Gives the cells, and what is not varied.
        space: What is.
        target_seconds: Predicted time at most.
        count: How many are wanted.
        tries: How many are predicted at most; each takes a fraction of a second.

    Raises:
        UsageError: None is fast enough; the message has the least time found. Or the table does not
            cover the space.
    """
    found: list[Outline] = []
    least = float("inf")
    for group in _groups(base, space):
        for config in group:
            table.check_covers(config)
        own, fastest = _of_group(table, group, target_seconds, tries)
        found += own
        least = min(least, fastest)
    if not found:
        msg = (
            f"no network of the space takes at most {1e3 * target_seconds:.3f} ms; the least found"
            f" is {1e3 * least:.3f} ms; allow narrower widths, fewer cells or another stem"
        )
        raise UsageError(msg)
    found.sort(key=lambda outline: -outline.binary_macs)
    return found[:count]


def _groups(base: NetworkConfig, space: OutlineSpace) -> Iterator[list[NetworkConfig]]:
    """Networks that differ in their widths and numbers of cells, for each of the other choices."""
    for stem in space.stems:
        for shortcut in space.shortcuts:
            for early in (False, True) if space.early else (False,):
                group = list(_group(base, space, stem, shortcut, early))
                if group:
                    yield group


def _group(
    base: NetworkConfig, space: OutlineSpace, stem: str, shortcut: str, early: bool
) -> Iterator[NetworkConfig]:
    for layers in space.layers:
        reduce_at = (0, layers // 2) if early else (layers // 3, 2 * layers // 3)
        for widths in combinations_with_replacement(sorted(space.widths), len(reduce_at) + 1):
            if any(b > GROWTH * a for a, b in pairwise(widths)):
                continue
            if early and widths[0] != widths[1]:  # no cell has the first: the stem alone
                continue
            try:
                yield replace(
                    base, name=f"{base.name} outline", layers=layers, channels=widths[0],
                    widths=widths, reduce_at=reduce_at, stem=stem, shortcut=shortcut,
                )  # fmt: skip
            except ConfigError:  # such as widths that the pool shortcut cannot take
                continue


def _of_group(
    table: LatencyTable, group: Sequence[NetworkConfig], target: float, tries: int
) -> tuple[list[Outline], float]:
    """Those near the target from below, and the least time seen."""
    order = sorted(((_macs(config), config) for config in group), key=lambda pair: pair[0])
    seen: dict[int, float] = {}

    def seconds(index: int) -> float:
        if index not in seen:
            config = order[index][1]
            model = pack_random(config, eight_bit=table.covers.eight_bit)
            seen[index] = predict(table, model).seconds
        return seen[index]

    seconds(0)
    low, high = 0, len(order)
    while low < high and len(seen) < tries:  # the first that is too slow, if order were strict
        middle = (low + high) // 2
        low, high = (middle + 1, high) if seconds(middle) <= target else (low, middle)
    near = sorted(range(len(order)), key=lambda index: abs(index - low))
    for index in near:
        if len(seen) >= tries:
            break
        seconds(index)
    within = [Outline(order[i][1], s, order[i][0]) for i, s in seen.items() if s <= target]
    return within, min(seen.values())


def _macs(config: NetworkConfig) -> int:
    return sum(layer.macs for layer in network_layers(config) if layer.kind == "binary")
