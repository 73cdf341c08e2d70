"""The time of a network from a latency table."""

from __future__ import annotations

from dataclasses import dataclass

from bnas_deploy.format import PackedModel
from bnas_deploy.latency.keys import step_keys
from bnas_deploy.latency.table import LatencyTable

__all__ = ["Prediction", "predict"]


@dataclass(frozen=True)
class Prediction:
    """The time of one image on one thread, from a table.

    Attributes:
        seconds: The sum, with what a run takes beside its steps.
        steps: Number of steps of the program.
        interpolated: How many of them were not measured as they are.
        interpolated_seconds: Their part of the sum.
        by_work: Seconds by the kind of step, largest first.
    """

    seconds: float
    steps: int
    interpolated: int
    interpolated_seconds: float
    by_work: dict[str, float]


def predict(table: LatencyTable, model: PackedModel) -> Prediction:
    """Add up the times of a model's steps.

    Raises:
        UsageError: The table has nothing like one of them.
    """
    by_work: dict[str, float] = {}
    total, guessed, guessed_seconds = table.overhead_seconds, 0, 0.0
    for key in step_keys(model.program, model.tensors):
        seconds, exact = table.seconds(key)
        total += seconds
        kind = key.work.split()[0]
        by_work[kind] = by_work.get(kind, 0.0) + seconds
        if not exact:
            guessed += 1
            guessed_seconds += seconds
    order = sorted(by_work.items(), key=lambda item: -item[1])
    return Prediction(total, len(model.program.steps), guessed, guessed_seconds, dict(order))
