"""Compares the original and a packed program on one kind of inputs after another, and judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.packing.compare import (
    MAX_RELATIVE_ERROR,
    MAX_STRUCTURED_ERROR,
    KindCheck,
    SelfCheck,
    excess,
    measure,
    spread_of,
)
from bnas_deploy.converters.packing.failure import failure
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.converters.packing.verdict import ROUNDINGS, SIGN_ZERO, Difference, judge
from bnas_deploy.engine import Runner

__all__ = ["BATCH", "CALIBRATION", "Pair", "compare_kinds", "compare_ordinary", "in_batches"]

BATCH = 32
"""Inputs that a model gets at a time."""

CALIBRATION = "calibration pictures"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """The original and the packed program.

    Attributes:
        source: What was packed.
        runner: Of the program.
        backend: Its name, for people.
        ordinary: (N, C, H, W) that say how large values and logits usually are.
    """

    source: Source
    runner: Runner
    backend: str
    ordinary: Floats


def compare_ordinary(
    pair: Pair, kind: str, expected: Floats, got: Floats
) -> tuple[SelfCheck, KindCheck | None]:
    """Compare logits (N, classes) on ordinary inputs; and say why they are accepted, if need be.

    Raises:
        CheckFailure: They are not.
    """
    return _compared(pair, kind, pair.ordinary, expected, got, _Limits(MAX_RELATIVE_ERROR))


@dataclass(frozen=True)
class _Limits:
    """What is an error on one kind of inputs.

    Attributes:
        error: Of the logits' spread.
        least_spread: See `measure`.
        made_up: Whether nobody has such pictures, so that a choice of Sign(0) may differ there.
    """

    error: float
    least_spread: float = 0.0
    made_up: bool = False


def compare_kinds(pair: Pair, kinds: dict[str, Floats], least: float) -> tuple[KindCheck, ...]:
    """Compare on all kinds of inputs, which run together.

    Args:
        pair: What is compared.
        kinds: Inputs (N, C, H, W) by kind.
        least: The spread of logits that errors are a part of where there is less.

    Raises:
        CheckFailure: They differ by more than roundings can explain.
    """
    together = np.concatenate(list(kinds.values()))
    expected = in_batches(pair.source.original.logits, together)
    got = in_batches(pair.runner.run, together)
    ends = np.cumsum([len(images) for images in kinds.values()])[:-1]
    parts = zip(kinds.items(), np.split(expected, ends), np.split(got, ends), strict=True)
    own, made_up = _Limits(MAX_RELATIVE_ERROR, least), _Limits(MAX_STRUCTURED_ERROR, least, True)
    return tuple(
        _kind(pair, kind, images, a, b, own if kind == CALIBRATION else made_up)
        for (kind, images), a, b in parts
    )


def _kind(
    pair: Pair, kind: str, images: Floats, expected: Floats, got: Floats, limits: _Limits
) -> KindCheck:
    finite = np.isfinite(expected).all(axis=1)  # x / |x| has no answer for black
    if not finite.any():
        return KindCheck(kind, 0, 0.0, 0)
    a, b = expected[finite], np.nan_to_num(got[finite])
    result, accepted = _compared(pair, kind, images[finite], a, b, limits)
    if accepted is not None:
        return accepted
    return KindCheck(kind, len(a), result.relative_error, result.same_answer)


def _compared(
    pair: Pair, kind: str, images: Floats, expected: Floats, got: Floats, limits: _Limits
) -> tuple[SelfCheck, KindCheck | None]:
    """The comparison; and why it is accepted, where it needs a reason.

    Raises:
        CheckFailure: There is none.
    """
    source, least = pair.source, limits.least_spread
    result = measure(expected, got, kind, pair.backend, least_spread=least)
    result = replace(result, against=source.original.name)
    too_much = excess(result, limits.error)
    if not too_much:
        return result, None
    spread = max(spread_of(expected), least)
    difference = Difference(images, expected, got, spread, limits.error)
    verdict = judge(source, pair.runner, difference, pair.ordinary[:1])
    chosen = verdict.why == SIGN_ZERO and source.sign_zero == "plus" and limits.made_up
    if verdict.why != ROUNDINGS and not chosen:
        differs = f"the packed program ({pair.backend}) {too_much}"
        raise failure(source, verdict, kind, len(images), differs)
    layer = verdict.parting.layer if verdict.parting else ""
    error, same = result.relative_error, result.same_answer
    return result, KindCheck(kind, len(images), error, same, verdict.why, layer)


def in_batches(run: Callable[[Floats], Floats], images: Floats) -> Floats:
    """Logits (N, classes) of any number of images."""
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    return np.concatenate([run(batch) for batch in batches])
