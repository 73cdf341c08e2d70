"""The networks that a latency table is measured on: random cells of every pair of widths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bnas_deploy.latency.table import Coverage
from bnas_deploy.nn.config import NetworkConfig
from bnas_deploy.nn.genotype import EDGES, EDGES_PER_NODE, INPUT_STATES, Edge, Genotype
from bnas_deploy.nn.stems import STEM_LAYERS

__all__ = ["probes", "random_genotype"]

CELLS = 8
REDUCE_AT = ((2, 5), (2, 5), (0, 4), (2, 5), (1, 2))
"""In turns: some cells before and behind each reduction; a reduction first; two in a row."""
ZEROISE_SHARE = 0.3
SEED = 15


def probes(base: NetworkConfig, covers: Coverage) -> Iterator[NetworkConfig]:
    """Name the networks whose steps a table needs.

    Each width occurs in each stage, and beside each that is not smaller in the next one.

    Args:
        base: Gives what the coverage does not say.
        covers: The widths, shortcuts and primitives.
    """
    rng = np.random.default_rng(SEED)
    cases = [(stems, widths) for stems in _same_size(covers.stems)
             for widths in _width_triples(covers.widths)]  # fmt: skip
    for turn, (stems, widths) in enumerate(cases):
        shortcut = _possible(covers.shortcuts, widths, turn)
        if shortcut is None:
            continue
        yield replace(
            base,
            name=f"probe {turn}",
            stem=stems[turn // len(covers.shortcuts) % len(stems)],
            layers=CELLS,
            channels=widths[0],
            widths=widths,
            reduce_at=REDUCE_AT[turn % len(REDUCE_AT)],
            shortcut=shortcut,
            genotype=random_genotype(rng, covers.primitives),
        )


def random_genotype(rng: np.random.Generator, primitives: Sequence[str]) -> Genotype:
    """Draw both cells; an edge is Zeroise more often than each other primitive, if it is there."""
    others = [name for name in primitives if name != "none"]

    def edges() -> tuple[Edge, ...]:
        found = []
        for j in range(EDGES):
            zeroise = len(others) < len(primitives) and rng.random() < ZEROISE_SHARE
            name = "none" if zeroise else str(rng.choice(others))
            found.append((name, int(rng.integers(INPUT_STATES + j // EDGES_PER_NODE))))
        return tuple(found)

    return Genotype(edges(), edges())


def _width_triples(widths: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Each pair (a, b), a at most b, as the first two stages and as the last two."""
    for place, middle in enumerate(widths):
        before, behind = widths[: place + 1], widths[place:]
        for turn in range(max(len(before), len(behind))):
            yield before[turn % len(before)], middle, behind[turn % len(behind)]


def _same_size(stems: Sequence[str]) -> list[list[str]]:
    """Group stems by the resolution that they leave."""
    groups: dict[int, list[str]] = {}
    for stem in stems:
        groups.setdefault(STEM_LAYERS[stem].stride, []).append(stem)
    return list(groups.values())


def _possible(shortcuts: Sequence[str], widths: tuple[int, int, int], turn: int) -> str | None:
    """The kind whose turn it is; `pool` takes whole multiples of widths alone."""
    one, two, three = widths
    fits = [kind for kind in shortcuts if kind != "pool" or not (two % one or three % two)]
    return fits[turn % len(fits)] if fits else None
