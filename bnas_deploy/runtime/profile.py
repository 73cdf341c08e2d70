"""Time of every step of a model beside what it computes; the measuring itself is the engine's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.cost.program import StepCost, program_cost
from bnas_deploy.runtime.model import Model

__all__ = ["StepProfile", "profile", "random_input"]

BUDGET_SECONDS = 1.0
REPEATS_AT_MOST = 50


@dataclass(frozen=True)
class StepProfile:
    """One step with its time.

    Attributes:
        cost: What the step is and computes, for one image.
        seconds: Median time, for all images of the run.
        share: Its part of the sum over all steps, 0 to 1.
        images: Number of images of the run.
    """

    cost: StepCost
    seconds: float
    share: float
    images: int

    @property
    def macs_per_second(self) -> float:
        """Binary and float multiply-accumulates a second; 0 where there are none."""
        macs = self.cost.binary_macs + self.cost.float_macs
        return self.images * macs / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self.cost), "seconds": self.seconds, "share": self.share}


def profile(model: Model, images: npt.NDArray[np.float32]) -> list[StepProfile]:
    """Time every step, repeating for about a second, 50 times at most.

    Args:
        model: The model.
        images: float32 (N, C, H, W), normalised.
    """
    first = sum(seconds for _, _, seconds in model.runner.profile(images, 1))
    repeats = min(REPEATS_AT_MOST, max(1, int(BUDGET_SECONDS / max(first, 1e-9))))
    times = model.runner.profile(images, repeats)
    total = sum(seconds for _, _, seconds in times)
    costs = program_cost(model.packed.program, model.packed.tensors)
    return [
        StepProfile(costs[index], seconds, seconds / total if total else 0.0, len(images))
        for index, _, seconds in times
    ]


def random_input(model: Model) -> npt.NDArray[np.float32]:
    """One input of normal noise, (1, C, H, W), the same at each call."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((1, *model.input_shape), dtype=np.float32)
