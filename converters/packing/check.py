"""Runs the original, the packed program and its 8-bit version on the same inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bnas_deploy import engine
from bnas_deploy.converters.eight_bit.facts import Agreement
from bnas_deploy.converters.packing import inputs
from bnas_deploy.converters.packing.compare import SelfCheck, compare_8bit, spread_of
from bnas_deploy.converters.packing.kinds import (
    CALIBRATION,
    Pair,
    compare_kinds,
    compare_ordinary,
    in_batches,
)
from bnas_deploy.converters.packing.source import Source
from bnas_deploy.engine import Runner
from bnas_deploy.errors import ConversionError
from bnas_deploy.format import PackedModel, Preprocessing

__all__ = ["CheckOptions", "Checked", "check", "check_8bit", "check_inputs"]

CALIBRATED = 32
"""Of the pictures for 8 bits, so many are checked on, too."""

LEAST_SPREAD = 0.01
"""Of the spread on ordinary inputs: logits that are closer to each other are as good as equal."""

LEAST_OF_LOGIT = 1e-4
"""Of the largest logit, likewise."""

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
        result: Its comparison with the original, on these and on other kinds of inputs.
    """

    images: Floats
    origin: str
    logits: Floats
    result: SelfCheck


def check(
    source: Source,
    model: PackedModel,
    options: CheckOptions,
    *,
    calibration: Floats | None = None,
) -> Checked:
    """Compare the packed float program with what it was made from.

    Args:
        source: What was packed.
        model: The program.
        options: On what; inputs that are made to break things are added.
        calibration: (N, C, H, W) pictures of the user's, of which some are added, too.

    Raises:
        ConversionError: They differ by more than roundings can explain, or than the user's choice
            of Sign(0) does; the message names the kind of inputs and, where it is known, the layer.
        UsageError: Given inputs have another shape than the model's.
        BackendError: The backend is not available.
    """
    images, origin = check_inputs(model.preprocessing, source.graph.input_shape, options.images)
    images = source.arranged(images)
    runner, backend = _opened(model, options)
    pair = Pair(source, runner, backend, images)
    expected, got = in_batches(source.original.logits, images), in_batches(runner.run, images)
    if expected.shape != got.shape:
        msg = (
            f"{source.original.name} gives logits of shape {list(expected.shape)}, the packed"
            f" program {list(got.shape)}; is the model's output one logit a class for each image?"
        )
        raise ConversionError(msg)
    if not np.isfinite(expected).all():
        msg = f"{source.original.name} gives logits that are not finite; is the model trained?"
        raise ConversionError(msg)
    result, accepted = compare_ordinary(pair, f"{origin} images", expected, got)
    kinds = inputs.structured(source.graph.input_shape, source.preprocessing)
    if calibration is not None:
        count = len(calibration)
        own = np.unique(np.linspace(0, count - 1, min(count, CALIBRATED)).astype(int))
        kinds[CALIBRATION] = calibration[own]
    least = max(LEAST_SPREAD * spread_of(expected), LEAST_OF_LOGIT * float(np.abs(expected).max()))
    found = compare_kinds(pair, kinds, least)
    others = found if accepted is None else (accepted, *found)
    return Checked(images, origin, got, replace(result, source=origin, kinds=others))


def check_8bit(checked: Checked, model: PackedModel, options: CheckOptions) -> Agreement:
    """Compare an 8-bit program with the float program, on the inputs of that one's check.

    Raises:
        ConversionError: They differ by more than 8 bits can explain.
        BackendError: The backend is not available.
    """
    runner, name = _opened(model, options)
    got = in_batches(runner.run, checked.images)
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
    return inputs.noise(images, shape, preprocessing), "random"


def _opened(model: PackedModel, options: CheckOptions) -> tuple[Runner, str]:
    """What runs a program, and its name for people."""
    runner = engine.create(model, backend=options.backend, threads=options.threads)
    return runner, runner.name if runner.isa is None else f"{runner.name} {runner.isa}"
