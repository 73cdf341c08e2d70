"""How each step of a model runs: kernel, time, share of the machine's limit.

The engine measures it: `Runner.profile`, `Runner.kernels` and `Runner.limit`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.cost.program import StepCost, program_cost
from bnas_deploy.engine.runner import KernelUse, Limit, steady_clock
from bnas_deploy.runtime.model import Model
from bnas_deploy.runtime.reasons import reasons

__all__ = ["Explanation", "StepReport", "explain", "random_input"]

BUDGET_SECONDS = 1.0
REPEATS_AT_MOST = 50
FEW, LARGE = 3, 0.2
"""How many of the slowest steps are named at least; the share beyond which every one is."""


@dataclass(frozen=True)
class StepReport:
    """One step: what it computes, what runs it, and how fast.

    Attributes:
        cost: What the step is and computes, for one image.
        kernels: What runs it, in order; none where nothing is left to do.
        seconds: Median time, for all images of the run.
        share: Its part of the sum over all steps, 0 to 1.
        images: Number of images of the run.
        limit: The machine's limit, if known.
        reason: What kind of work it is, why it is not binary, and what would help.
    """

    cost: StepCost
    kernels: tuple[KernelUse, ...]
    seconds: float
    share: float
    images: int
    limit: Limit | None
    reason: str

    @property
    def macs_per_second(self) -> float:
        """Multiply-accumulates of all kinds a second; 0 where there are none."""
        macs = self.cost.binary_macs + self.cost.eight_bit_macs + self.cost.float_macs
        return self.images * macs / self.seconds if self.seconds else 0.0

    @property
    def macs_per_cycle(self) -> float | None:
        """The same for each cycle of the clock; None where that is not known for sure."""
        clock = self.limit.cycles_per_second if self.limit else None
        return self.macs_per_second / clock if clock else None

    @property
    def limit_share(self) -> float | None:
        """Part of the machine's rate of binary operations, 0 to 1; None for other steps."""
        if self.limit is None or not self.cost.binary_macs:
            return None
        return self.macs_per_second / self.limit.binary_macs_per_second

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **asdict(self.cost),
            "kernels": [
                {"kernel": use.kernel, "gather": use.gather, "tile": use.tile}
                for use in self.kernels
            ],
            "seconds": self.seconds,
            "share": self.share,
            "macs_per_second": self.macs_per_second,
            "macs_per_cycle": self.macs_per_cycle,
            "limit_share": self.limit_share,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Explanation:
    """All steps of a model in order, and the limit measured beside them, if known."""

    steps: tuple[StepReport, ...]
    limit: Limit | None

    @property
    def seconds(self) -> float:
        """Sum over the steps."""
        return sum(step.seconds for step in self.steps)

    @property
    def binary_share(self) -> float:
        """The part of the time that binary convolutions take, 0 to 1."""
        return sum(step.share for step in self.steps if step.cost.binary_macs)

    def other_shares(self) -> dict[str, float]:
        """The part of the time of each kind of step that is no binary convolution, largest first.

        Returns:
            Shares from 0 to 1 by the step's name in the file; kinds that took no time are left out.
        """
        shares: dict[str, float] = {}
        for step in self.steps:
            if not step.cost.binary_macs and step.share:
                shares[step.cost.op] = shares.get(step.cost.op, 0.0) + step.share
        return dict(sorted(shares.items(), key=lambda kind: kind[1], reverse=True))

    def slowest(self) -> list[StepReport]:
        """The slowest steps, slowest first: a few, and each that takes more than a fifth."""
        steps = sorted(self.steps, key=lambda step: step.seconds, reverse=True)
        return [step for i, step in enumerate(steps) if i < FEW or step.share > LARGE]


def explain(model: Model, images: npt.NDArray[np.float32]) -> Explanation:
    """Time every step, repeating for about a second, 50 times at most; on one thread.

    Args:
        model: The model.
        images: float32 (N, C, H, W), normalised.
    """
    runner = model.runner
    first = sum(seconds for _, _, seconds in runner.profile(images, 1))
    repeats = min(REPEATS_AT_MOST, max(1, int(BUDGET_SECONDS / max(first, 1e-9))))
    before = runner.limit()
    times = runner.profile(images, repeats)
    limit = _agreed(before, runner.limit())
    total = sum(seconds for _, _, seconds in times)
    costs = program_cost(model.packed.program, model.packed.tensors)
    kernels, why = runner.kernels(), reasons(model.packed)
    steps = tuple(
        StepReport(
            cost=costs[index],
            kernels=tuple(use for use in kernels if use.step == index),
            seconds=seconds,
            share=seconds / total if total else 0.0,
            images=len(images),
            limit=limit,
            reason=why[index],
        )
        for index, _, seconds in times
    )
    return Explanation(steps, limit)


def _agreed(before: Limit | None, after: Limit | None) -> Limit | None:
    """The limit from one measurement before and one after; a clock that changed is not known."""
    if before is None or after is None:
        return None
    rate = max(before.binary_macs_per_second, after.binary_macs_per_second)
    return Limit(rate, steady_clock(before.cycles_per_second, after.cycles_per_second))


def random_input(model: Model) -> npt.NDArray[np.float32]:
    """One input of normal noise, (1, C, H, W), the same at each call."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((1, *model.input_shape), dtype=np.float32)
