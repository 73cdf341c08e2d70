"""Tests of the rules of other steps that came since 1.3, one fault each, with its message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.faulty_programs import edited, with_tensor
from support.program_builder import Builder

from bnas_deploy.errors import FormatError
from bnas_deploy.format import PackedModel, read, to_bytes, validate


def model() -> PackedModel:
    """One of each; C = 5, 6 x 7 pixels."""
    b = Builder(np.random.default_rng(0), (5, 6, 7))
    x = b.clip(b.prelu("image"))
    b.multiply(x, b.sigmoid(x))
    b.multiply(x, b.hard_sigmoid(x))
    b.add_slice(x, b.constant(5, 6, 7), 0)
    b.binary_conv2d(b.binary_max_pool2d(b.binarize(x)), 3, stages=("affine",))
    return b.finish()


def find(op: str) -> int:
    return next(i for i, step in enumerate(model().program.steps) if op == step.OP)


def edit(op: str, **changes: Any) -> PackedModel:
    return edited(model(), find(op), **changes)


def tensor(op: str, field: str, array: Any) -> PackedModel:
    return with_tensor(model(), find(op), field, array)


POOL, CONV = "binary_max_pool2d", "binary_conv2d"
FAULTS: dict[str, tuple[PackedModel, str]] = {
    "slope": (tensor("prelu", "slope", np.ones(4, "f4")), r"'slope': .* must have shape \(5,\)"),
    "infinite slope": (tensor("prelu", "slope", np.full(5, np.inf, "f4")), "NaN or infinity"),
    "one term": (tensor("hard_sigmoid", "terms", np.ones(1, "f4")), r"must have shape \(2,\)"),
    "NaN term": (tensor("hard_sigmoid", "terms", np.array([1, np.nan], "f4")), "NaN or infinity"),
    "low above high": (tensor("clip", "low", np.full(5, 1e9, "f4")), "must not be greater"),
    "NaN bound": (tensor("clip", "high", np.full(5, np.nan, "f4")), "and neither NaN"),
    "a value that is not there": (edit("sigmoid", input="nothing"), "reads the value 'nothing'"),
    "factor of two channels": (edit("multiply", factor="image2"), "reads the value 'image2'"),
    "constant of two dimensions": (
        tensor("constant", "value", np.ones((5, 42), "f4")),
        r"expected shape \(C, H, W\), got \(5, 42\)",
    ),
    "constant without pixels": (
        tensor("constant", "value", np.ones((5, 0, 7), "f4")),
        "'value' must lie between 1 and 65536",
    ),
    "infinite constant": (
        tensor("constant", "value", np.full((5, 6, 7), np.inf, "f4")),
        "NaN or infinity",
    ),
    "constant of another shape": (
        tensor("constant", "value", np.ones((5, 7, 6), "f4")),
        r"f32 \[5, 7, 6\], declared as f32 \[5, 6, 7\]",
    ),
    "floats to a pool of bits": (edit(POOL, input="image"), "needs a value of kind bits"),
    "padding as large as the kernel": (edit(POOL, padding=(3, 0, 0, 0)), "less than the kernel"),
    "minimum beyond the channels": (
        tensor(POOL, "minimum", np.array([32], np.uint64)),
        "has bits set beyond the 5 of a row",
    ),
    "shift": (tensor(CONV, "shift", np.ones(4, "f4")), r"must have shape \(3,\), got \(4,\)"),
    "NaN shift": (tensor(CONV, "shift", np.full(3, np.nan, "f4")), "'stages.shift': .* NaN"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str) -> None:
    m, message = FAULTS[fault]
    with pytest.raises(FormatError, match=message):
        validate(m)
    with pytest.raises(FormatError):
        to_bytes(m)


@pytest.mark.parametrize("shape", [(4, 6, 7), (5, 6, 1), (5, 1, 7), (2, 1, 1)])
def test_factors_that_are_not_broadcast(shape: tuple[int, int, int]) -> None:
    b = Builder(np.random.default_rng(0), (5, 6, 7))
    b.multiply("image", b.constant(*shape))
    with pytest.raises(FormatError, match=r"'factor' needs a value of shape \(5 or 1, 6, 7\)"):
        validate(b.finish())


def plain(b: Builder) -> None:
    b.multiply("image", b.mean_magnitude("image"))


def wide(b: Builder) -> None:
    b.multiply("image", b.global_avg_pool("image"))


def shifted(b: Builder) -> None:
    b.binary_conv2d(b.binarize("image"), 3, stages=("affine",))


def hard(b: Builder) -> None:
    b.hard_sigmoid("image")


def scaled(b: Builder) -> None:
    b.binary_conv2d(b.binarize("image"), 3, stages=("scale",))


@pytest.mark.parametrize(
    ("make", "version", "what"),
    [
        (plain, "1.2", "mean_magnitude"),
        (wide, "1.3", r"multiply by a factor of shape \[5, 1, 1\]"),
        (shifted, "1.3", "the stage affine"),
        (scaled, "1.0", None),
        (hard, "1.4", "hard_sigmoid"),
    ],
)
def test_the_version_that_a_file_needs(
    make: Callable[[Builder], None], version: str, what: str | None
) -> None:
    b = Builder(np.random.default_rng(0), (5, 6, 7))
    make(b)
    blob = to_bytes(b.finish())
    assert f'"bnas.version":"{version}"'.encode() in blob.replace(b" ", b"")
    if what is not None:
        older = blob.replace(f'"{version}"'.encode(), b'"1.1"', 1)
        with pytest.raises(FormatError, match=f"{what} came with version {version}"):
            read(older)
