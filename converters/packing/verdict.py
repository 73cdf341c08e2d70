"""Judges a difference between the original and a packed program: roundings, Sign(0), or wrong.

Where a value lies within rounding of a threshold, a right program may give another sign, and all
that follows moves. So a difference alone proves nothing. What does: a layer that differs from the
original's although it is given the original's own inputs is wrong; if every layer agrees and the
program is what these layers make together, only roundings are left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.graph.evaluate import evaluate, trace
from bnas_deploy.converters.packing.compare import relative_error
from bnas_deploy.converters.packing.parting import TOLERANCE, Parting, first_parting
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.engine import Runner

__all__ = ["ROUNDINGS", "SIGN_ZERO", "WRONG", "Difference", "Verdict", "judge"]

Floats = npt.NDArray[np.float32]

ROUNDINGS = "roundings"
"""Signs within rounding of their threshold: the program is right."""
SIGN_ZERO = "sign-zero"
"""Signs of exactly 0, which the original takes for 0."""
WRONG = "wrong"

WORST = 2
"""Images that are looked into: those that differ most."""

TRIES = 8
SMALL = 1e-6
"""How often, and by which part of them, inputs are changed to see what roundings do."""


@dataclass(frozen=True)
class Verdict:
    """Why a packed program differs from the original.

    Attributes:
        why: `ROUNDINGS`, `SIGN_ZERO` or `WRONG`.
        parting: The first layer that is wrong, if it is known.
        in_graph: Whether the layer is wrong before the passes, so that no backend is to blame.
    """

    why: str
    parting: Parting | None = None
    in_graph: bool = False


@dataclass(frozen=True)
class Difference:
    """What is to be judged.

    Attributes:
        images: (N, C, H, W).
        expected: (N, classes) of the original.
        got: (N, classes) of the packed program.
        spread: Of the logits, which errors are parts of.
        limit: What is an error.
    """

    images: Floats
    expected: Floats
    got: Floats
    spread: float
    limit: float

    def worst(self) -> Difference:
        """The same for the images that differ most."""
        away = np.square(self.got.astype(np.float64) - self.expected).mean(axis=1)
        own = np.argsort(-away, kind="stable")[:WORST]
        return Difference(
            self.images[own], self.expected[own], self.got[own], self.spread, self.limit
        )

    def error(self, logits: Floats, other: Floats) -> float:
        """Of logits against others, as a part of the spread."""
        return relative_error(logits, other, self.spread)


def judge(source: Source, runner: Runner, found: Difference, ordinary: Floats) -> Verdict:
    """Find out why logits differ.

    Args:
        source: What was packed.
        runner: Of the packed program.
        found: The difference.
        ordinary: (1, C, H, W) that says how large values usually are.
    """
    found = found.worst()
    if source.original.inside is not None:
        images = np.concatenate([found.images, ordinary])
        parting = first_parting(source.graph, source.original, images)
        if parting is not None:
            return Verdict(SIGN_ZERO if parting.zeros else WRONG, parting, in_graph=True)
        if found.error(evaluate(source.graph, found.images), found.got) <= found.limit:
            return Verdict(ROUNDINGS)
    if _follows_from_roundings(source, found):
        return Verdict(ROUNDINGS)
    return Verdict(WRONG, _program_parting(source, runner, found.images))


def _follows_from_roundings(source: Source, found: Difference) -> bool:
    """Whether the original itself moves as much where its inputs change by roundings.

    Black stays black: what is exactly 0 is no rounding.
    """
    rng = np.random.default_rng(0)
    needed = found.error(found.expected, found.got) / 2
    # Equal pixels move together as a rule, as their roundings are the same.
    each = rng.uniform(-SMALL, SMALL, (TRIES, *found.images.shape))
    changes = [*np.linspace(-SMALL, SMALL, TRIES), *each]
    return any(
        found.error(found.expected, source.original.logits(_changed(found.images, change)))
        >= needed
        for change in changes
    )


def _changed(images: Floats, change: npt.ArrayLike) -> Floats:
    changed: Floats = (images * (1 + np.asarray(change))).astype(np.float32)
    return changed


def _program_parting(source: Source, runner: Runner, images: Floats) -> Parting | None:
    """The first value of the program that differs from the graph's of the same name."""
    made = runner.trace(images)
    inside = source.original.inside
    layers = {value: layer for layer, value in inside.layers.items()} if inside else {}
    for name, value in trace(source.graph, images).items():
        other = made.get(name)
        if other is None or other.dtype != value.dtype or other.shape != value.shape:
            continue
        scale = float(np.abs(value).max()) or 1.0
        away = float(np.abs(value - other).max()) / scale
        if not away <= TOLERANCE:
            return Parting(layers.get(name, name), away)
    return None
