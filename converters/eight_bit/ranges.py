"""Ranges that a model states itself, where it clips values to what its own 8 bits can say."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.eight_bit.calibration import Seen
from bnas_deploy.format import PackedModel
from bnas_deploy.format.steps import AvgPool2d, Clip, GlobalAvgPool, MaxPool2d, Step

__all__ = ["stated_ranges"]

Floats = npt.NDArray[np.float32]

_WITHIN = (AvgPool2d, GlobalAvgPool, MaxPool2d)
"""Steps whose results lie in the range of what they read."""


def stated_ranges(
    model: PackedModel, values: Iterable[str], clips: Collection[str]
) -> dict[str, Seen]:
    """Return what is known of values without running the program, by name.

    Args:
        model: The program.
        values: Some of its float values.
        clips: Names of the operations that clip a value to its 8 bits.
    """
    makers = {name: step for step in model.program.steps for name in step.writes()}
    found = {}
    for value in values:
        step = makers.get(value)
        while isinstance(step, _WITHIN):
            step = makers.get(step.input)
        if isinstance(step, Clip) and step.low.removesuffix(".low") in clips:
            low, high = _range(model, step, makers)
            if np.isfinite([low, high]).all():
                found[value] = Seen(np.stack([low, high]), low, high)
    return found


def _range(model: PackedModel, step: Step | None, makers: dict[str, Step]) -> tuple[Floats, Floats]:
    """Of a clip, and of a clip before it: a lower and an upper bound may be two steps."""
    low, high = np.full(1, -np.inf, np.float32), np.full(1, np.inf, np.float32)
    while isinstance(step, Clip):
        low = np.maximum(low, model.tensors[step.low])
        high = np.minimum(high, model.tensors[step.high])
        step = makers.get(step.input)
    return low, high
