"""Tests that a backend finds a step's function by its class, and cannot lack one in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bnas_deploy.engine.implementations import Implementations
from bnas_deploy.engine.numba.steps import PREPARE
from bnas_deploy.engine.reference.steps import MEANING
from bnas_deploy.format.steps import STEPS, AddSlice, Relu, Sigmoid


@pytest.mark.parametrize("backend", [MEANING, PREPARE], ids=["reference", "numba"])
def test_the_backends_have_every_step(backend: Implementations[Callable[..., Any]]) -> None:
    backend.check_complete()


def test_a_function_is_found_by_the_class() -> None:
    functions: Implementations[Callable[..., Any]] = Implementations("tiny")

    @functions.of(Relu, Sigmoid)
    def run(step: Any) -> str:
        return step.OP

    assert functions[Relu("x", "y")] is run
    assert functions[Sigmoid("x", "y")](Sigmoid("x", "y")) == "sigmoid"
    with pytest.raises(KeyError):
        functions[AddSlice("x", "a", "y", 0)]


def test_a_step_without_a_function_is_named() -> None:
    functions: Implementations[Callable[..., Any]] = Implementations("tiny")
    functions.of(*(cls for op, cls in STEPS.items() if op not in ("clip", "linear")))(print)
    with pytest.raises(NotImplementedError, match=r"does not implement clip, linear$"):
        functions.check_complete()


def test_a_step_has_one_function() -> None:
    functions: Implementations[Callable[..., Any]] = Implementations("tiny")
    functions.of(Relu)(print)
    with pytest.raises(ValueError, match="the tiny backend implements the step relu twice"):
        functions.of(Relu)(repr)
