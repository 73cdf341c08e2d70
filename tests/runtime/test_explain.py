"""Tests of `explain`: what is computed from times, kernels and limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.small_models import picture_model

from bnas_deploy import engine
from bnas_deploy.engine.runner import KernelUse, Limit
from bnas_deploy.runtime.explain import Explanation, StepReport, explain, random_input
from bnas_deploy.runtime.model import Model

ABLE = [name for name, reason in engine.available().items() if reason is None]


def binary_step(limit: Limit | None) -> StepReport:
    steps = explain(Model(picture_model(), backend="reference"), np.zeros((1, 3, 8, 8), "f4")).steps
    (step,) = [step for step in steps if step.cost.binary_macs]
    cost = replace(step.cost, binary_macs=3000, float_macs=0)
    return replace(step, cost=cost, seconds=0.5, images=2, limit=limit)


def test_rates_follow_from_time_and_limit() -> None:
    step = binary_step(Limit(48_000.0, 600.0))
    assert step.macs_per_second == 2 * 3000 / 0.5
    assert step.macs_per_cycle == 20
    assert step.limit_share == 0.25


def test_nothing_is_said_of_an_unknown_clock_or_limit() -> None:
    assert binary_step(Limit(48_000.0, None)).macs_per_cycle is None
    assert binary_step(None).macs_per_cycle is None
    assert binary_step(None).limit_share is None


def test_float_steps_have_no_share_of_the_binary_limit() -> None:
    step = binary_step(Limit(48_000.0, 600.0))
    step = replace(step, cost=replace(step.cost, binary_macs=0, float_macs=3000))
    assert step.limit_share is None
    assert step.macs_per_cycle == 20


def test_a_step_that_took_no_time() -> None:
    step = replace(binary_step(Limit(1.0, 1.0)), seconds=0.0)
    assert (step.macs_per_second, step.macs_per_cycle, step.limit_share) == (0, 0, 0)


def test_every_step_that_takes_more_than_a_fifth_is_among_the_slowest() -> None:
    step = binary_step(None)
    shares = [0.01, 0.24, 0.25, 0.21, 0.26, 0.03]
    steps = tuple(replace(step, seconds=share, share=share) for share in shares)
    result = Explanation(steps, None)
    assert [s.share for s in result.slowest()] == [0.26, 0.25, 0.24, 0.21]
    assert [s.share for s in Explanation(steps[:3], None).slowest()] == [0.25, 0.24, 0.01]
    others = tuple(replace(s, cost=replace(s.cost, binary_macs=0)) for s in steps[1:])
    assert Explanation((steps[0], *others), None).binary_share == pytest.approx(0.01)


@pytest.mark.parametrize("backend", ABLE)
def test_every_step_is_explained(backend: str) -> None:
    packed = picture_model()
    model = Model(packed, backend=backend)
    result = explain(model, random_input(model))
    assert [step.cost.op for step in result.steps] == [step.OP for step in packed.program.steps]
    assert sum(step.share for step in result.steps) == pytest.approx(1)
    assert result.seconds == sum(step.seconds for step in result.steps)
    assert (result.limit is not None) == (backend == "native")
    (binary,) = [step for step in result.steps if step.cost.op == "binary_conv2d"]
    assert binary.kernels
    assert all(isinstance(use, KernelUse) and use.step == binary.cost.index
               for use in binary.kernels)  # fmt: skip


@pytest.mark.parametrize(
    ("clocks", "known"),
    [((1e9, 1.01e9), 1.005e9), ((1e9, 2e9), None), ((None, 1e9), None), ((1e9, None), None)],
)
def test_the_clock_is_known_where_it_was_steady(
    monkeypatch: pytest.MonkeyPatch, clocks: tuple[float | None, ...], known: float | None
) -> None:
    model = Model(picture_model(), backend="reference")
    limits = iter([Limit(5.0, clocks[0]), Limit(7.0, clocks[1])])
    monkeypatch.setattr(model.runner, "limit", lambda: next(limits))
    limit = explain(model, random_input(model)).limit
    assert limit is not None
    assert limit.binary_macs_per_second == 7
    assert limit.cycles_per_second == (known and pytest.approx(known))


def test_random_input_is_the_same_at_each_call() -> None:
    model = Model(picture_model(), backend="reference")
    assert np.array_equal(random_input(model), random_input(model))


def test_what_is_no_binary_convolution_is_summed_up_by_kind() -> None:
    step = binary_step(None)
    kinds = [("relu", 0.125), ("affine", 0.25), ("relu", 0.25), ("concat", 0.0)]
    others = [
        replace(step, cost=replace(step.cost, op=op, binary_macs=0), share=share)
        for op, share in kinds
    ]
    shares = Explanation((step, *others), None).other_shares()
    assert list(shares.items()) == [("relu", 0.375), ("affine", 0.25)]
