"""Runs the original, the packed program and its 8-bit version on the same inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnas_deploy import engine
from bnas_deploy.converters.eight_bit.facts import Agreement
from bnas_deploy.converters.packing.compare import (
    SelfCheck,
    compare_8bit,
    compare_logits,
    random_pictures,
)
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import PackedModel, Preprocessing

__all__ = [
    "BATCH",
    "CheckOptions",
    "Checked",
    "check",
    "check_8bit",
    "check_inputs",
    "in_batches",
    "packed_logits",
]

BATCH = 32
"""Inputs that a model gets at a time."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CheckOptions:
    """On what, and with what, a packed program is checked.

    Attributes:
        images: (N, ...), preprocessed, in the shape that the model takes or as (N, C, H, W); or how
            many random ones to make.
        backend: Of the packed program; None for the best.
        threads: Of the packed program.
    """

    images: Floats | int = 32
    backend: str | None = None
    threads: int = 1


@dataclass(frozen=True)
class Checked:
    """The inputs of a check, and what the float program made of them.

    Attributes:
        images: (N, C, H, W).
        origin: Where they are from, `random` or `given`.
        logits: (N, classes) of the packed float program.
        result: Its comparison with the original.
    """

    images: Floats
    origin: str
    logits: Floats
    result: SelfCheck


def check(source: Source, model: PackedModel, options: CheckOptions) -> Checked:
    """Compare the packed float program with what it was made from.

    Raises:
        ConversionError: They differ by more than roundings can explain.
        UsageError: Given inputs have another shape than the model's.
        BackendError: The backend is not available.
    """
    images, origin = check_inputs(model.preprocessing, source.graph.input_shape, options.images)
    images = source.arranged(images)
    expected = in_batches(source.original.logits, images)
    if not np.isfinite(expected).all():
        msg = f"{source.original.name} gives logits that are not finite; is the model trained?"
        raise ConversionError(msg)
    name, got = packed_logits(model, images, options)
    result = compare_logits(
        expected, got, source=origin, backend=name, against=source.original.name
    )
    return Checked(images, origin, got, result)


def check_8bit(checked: Checked, model: PackedModel, options: CheckOptions) -> Agreement:
    """Compare an 8-bit program with the float program, on the inputs of that one's check.

    Raises:
        ConversionError: They differ by more than 8 bits can explain.
        BackendError: The backend is not available.
    """
    name, got = packed_logits(model, checked.images, options)
    return compare_8bit(checked.logits, got, source=checked.origin, backend=name)


def check_inputs(
    preprocessing: Preprocessing, shape: tuple[int, int, int], images: Floats | int
) -> tuple[Floats, str]:
    """The inputs of a check, and whether they are `given` or `random`.

    Args:
        preprocessing: Of the model.
        shape: (C, H, W) of its input.
        images: Given ones, or how many random ones to make.

    Raises:
        ConversionError: There is none.
    """
    if not (images if isinstance(images, int) else len(images)):
        msg = "a self-check needs at least one image"
        raise ConversionError(msg)
    if not isinstance(images, int):
        return images, "given"
    channels, height, width = shape
    if channels == 3 and height > 1:
        p = preprocessing
        return random_pictures(images, p.crop, p.mean, p.std), "random"
    # Not pictures: their numbers lie on both sides of zero, or most signs would be the same.
    size = (images, channels, height, width)
    return np.random.default_rng(0).standard_normal(size, np.float32), "random"


def packed_logits(model: PackedModel, images: Floats, options: CheckOptions) -> tuple[str, Floats]:
    """Name of the backend, and logits (N, classes)."""
    runner = engine.create(model, backend=options.backend, threads=options.threads)
    name = runner.name if runner.isa is None else f"{runner.name} {runner.isa}"
    return name, in_batches(runner.run, images)


def in_batches(run: Callable[[Floats], Floats], images: Floats) -> Floats:
    """Logits (N, classes) of any number of images."""
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    return np.concatenate([run(batch) for batch in batches])
